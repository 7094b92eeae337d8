/**
 * Hostile HTTP requests (SE-15): a valid request of each surface, and what can be done to its path, its query, its headers and its body.
 */
import * as fc from "fast-check";
import { hostileBytes, hostileJson, hostileText } from "./hostile.ts";

/** A request as plain data, so that a failure shows it. */
export interface HostileRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer> | null;
}

/** A route, with requests that it would take. */
export interface Surface {
  readonly method: string;
  /** Parts in braces are replaced: `/v1/runs/{id}`. */
  readonly path: string;
  /** What may stand in the braces and be right. */
  readonly parts?: Readonly<Record<string, readonly string[]>>;
  /** Parameters of the query, each with values that are right. */
  readonly query?: Readonly<Record<string, readonly string[]>>;
  /** JSON texts that are right; absent: no body. */
  readonly bodies?: readonly string[];
}

/** One request of the surface, with damage in at least one place. */
export function hostileRequest(surface: Surface): fc.Arbitrary<HostileRequest> {
  const { method, bodies } = surface;
  const body = bodies === undefined ? fc.constant(null) : hostileBytes(hostileJson(bodies));
  return fc.record({ method: fc.constant(method), path: pathOf(surface), headers: hostileHeaders, body });
}

function pathOf({ path, parts = {}, query = {} }: Surface): fc.Arbitrary<string> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const values = names.map((name) => partOf(parts[name] ?? []));
  const pairs = Object.entries(query).map(([name, right]) =>
    fc.option(fc.tuple(fc.constant(name), partOf(right)), { freq: 2 }),
  );
  const stray = fc.option(fc.tuple(hostileText.map(encoded), inUrl), { freq: 8 });
  return fc.tuple(fc.tuple(...values), fc.tuple(...pairs, stray, stray)).map(([filled, given]) => {
    const base = names.reduce((text, name, at) => text.replace(`{${name}}`, () => filled[at] ?? ""), path);
    const search = given.flatMap((pair) => (pair === null ? [] : [`${pair[0]}=${pair[1]}`])).join("&");
    return search === "" ? base : `${base}?${search}`;
  });
}

/** Something in a URL: right half of the time, if there is something right. */
function partOf(right: readonly string[]): fc.Arbitrary<string> {
  return right.length === 0 ? inUrl : fc.oneof(fc.constantFrom(...right.map(encoded)), inUrl);
}

const inUrl: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: hostileText.map((text) => encoded(text.slice(0, 2000))) },
  { weight: 1, arbitrary: fc.constantFrom("%ff", "%zz", "%", "%ed%a0%80", "%00", "%2e%2e%2f", "+", "a%3Fb%23c") },
);

function encoded(text: string): string {
  // Half a surrogate pair has no place in a URL.
  return encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, "\ufffd")).replace(/^\.+$/, "%2e");
}

const NAMES = [
  "accept",
  "authorization",
  "content-encoding",
  "content-length",
  "content-type",
  "idempotency-key",
  "origin",
  "sec-websocket-key",
  "traceparent",
  "tracestate",
  "upgrade",
  "user-agent",
  "x-inngest-env",
  "x-inngest-event-id-seed",
  "x-inngest-expected-server-kind",
  "x-inngest-framework",
  "x-inngest-sdk",
  "x-inngest-sync-kind",
  "x-request-id",
];

const RIGHT = [
  "1700000000000,AAECAwQFBgcICQ==",
  "281474976710655,//////////////==",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "text/stream",
  "gzip",
  "br",
  "websocket",
  "dev",
  "cloud",
  "Bearer undefined",
  "Bearer a.b.c",
  "inngest-js:v4.24.0",
  "millrace=999999999999",
  "millrace=-1,millrace=2",
  "0",
  "5",
  "99999999999999999999",
];

// What fetch takes for a header, and the runtime does not complain about in its log.
const headerText = fc.oneof(
  fc.constantFrom(...RIGHT),
  hostileText.map((text) => text.replace(/[^\t\x20-\x7e]/g, "").trim()),
);

const hostileHeaders: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.dictionary(fc.constantFrom(...NAMES), headerText, { maxKeys: 4, noNullPrototype: true }) },
);
