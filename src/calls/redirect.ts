/**
 * What a request made for a step takes along on a redirect: the rules browsers follow. Pure.
 * Guarantees that credentials reach no other host than the one they were given for (SE-13).
 */
import { isCredentialName } from "./credentials.ts";
import type { Hop, RedirectRule } from "./exchange.ts";

const OF_THE_BODY = new Set(["content-encoding", "content-language", "content-location", "content-type"]);

/**
 * 303 makes everything but HEAD a GET, 301 and 302 make a POST one; 307 and 308 keep method and body. `credentials` are the request's:
 * a server that reflects its query into a redirect must not hand them on either.
 */
export function browserRedirect(credentials: readonly string[]): RedirectRule {
  return (sent, status, target) => {
    const next = keepsMethod(sent.method, status) ? sent : asGet(sent);
    const url = new URL(target);
    url.username = "";
    url.password = "";
    if (isSameHost(sent.url, url)) return { ...next, url };
    for (const [name, value] of [...url.searchParams]) {
      if (credentials.some((secret) => value.includes(secret))) url.searchParams.delete(name);
    }
    return { ...next, url, headers: without(next.headers, isCredentialName) };
  };
}

function keepsMethod(method: string, status: number): boolean {
  if (status === 303) return method === "GET" || method === "HEAD";
  return status > 303 || method !== "POST";
}

function asGet(sent: Hop): Hop {
  return { url: sent.url, method: "GET", body: null, headers: without(sent.headers, (name) => OF_THE_BODY.has(name)) };
}

// Another port is another server; the change from http to https on the usual ports is not.
function isSameHost(from: URL, to: URL): boolean {
  if (from.origin === to.origin) return true;
  return from.hostname === to.hostname && from.port === "" && to.port === "" && to.protocol === "https:";
}

function without(headers: Hop["headers"], drop: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !drop(name.toLowerCase())));
}
