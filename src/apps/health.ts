/**
 * "Check app health" (AP-26): calls an app and says, step by step, what is right, what is not, and what to do about it. Owns the two requests;
 * what their answers mean is `health-checks.ts`. Changes nothing.
 */
import { appTargetPolicy } from "../calls/address.ts";
import { exchange, type HttpOutcome } from "../calls/http.ts";
import { REGISTRATION } from "../limits.ts";
import { canonicalJson } from "../protocol/canonical.ts";
import { signBody } from "../protocol/signature.ts";
import type { Settings } from "../settings.ts";
import { checksOf, type HealthCheck, type RegisteredAt } from "./health-checks.ts";

/** Every check, in the order in which a call of the app needs them. Never throws because of the app. `now` in ms. */
export async function checkHealth(settings: Settings, app: RegisteredAt, now: number): Promise<HealthCheck[]> {
  const introspected = await send(settings, { url: app.url, method: "GET", body: null }, now);
  // A body as large as a call's may be; the probe itself is a question that needs none.
  const large = introspected.ok ? await send(settings, probe(app.url), now) : null;
  return checksOf({ app, settings, introspected, large, now });
}

function probe(serveUrl: string) {
  const url = new URL(serveUrl);
  url.searchParams.set("probe", "trust");
  return { url: url.href, method: "POST", body: canonicalJson({ padding: "x".repeat(REGISTRATION.bodyBytes - 64) }) };
}

async function send(
  settings: Settings,
  request: { readonly url: string; readonly method: string; readonly body: string | null },
  now: number,
): Promise<HttpOutcome> {
  const unsigned = {
    ...request,
    timeout: REGISTRATION.timeout,
    replyBytes: REGISTRATION.bodyBytes,
    policy: appTargetPolicy(settings),
  };
  const headers = { "content-type": "application/json", "x-inngest-server-kind": settings.mode };
  let outcome: HttpOutcome | null = null;
  // A 401 may only mean that the app still has the other key during a rotation (SE-7).
  for (const key of settings.signingKeys) {
    const signature = await signBody(key, request.body ?? "", now);
    outcome = await exchange({ ...unsigned, headers: { ...headers, "x-inngest-signature": signature } });
    if (!outcome.ok || outcome.reply.status !== 401) return outcome;
  }
  return outcome ?? (await exchange({ ...unsigned, headers }));
}
