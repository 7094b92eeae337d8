/**
 * Asking an app for its configuration (AP-5): one PUT, which the app answers in-band or with a registration of its own.
 * Owns the request and what each kind of answer means (AP-9, AP-13, SE-5); storing is not its business.
 */
import { appTargetPolicy } from "../calls/address.ts";
import { exchange, type HttpOutcome } from "../calls/http.ts";
import { type ErrorCode, MillraceError } from "../errors.ts";
import { type Json, type JsonObject, parseJson } from "../json.ts";
import { REGISTRATION } from "../limits.ts";
import type { RawReply } from "../protocol/call-reply.ts";
import { canonicalJson } from "../protocol/canonical.ts";
import { signBody, verifySignature } from "../protocol/signature.ts";
import type { Settings } from "../settings.ts";

/** What the app did: sent its configuration in the reply, or registered by itself while we waited. */
export type SyncAnswer = { readonly kind: "in_band"; readonly body: Json } | { readonly kind: "out_of_band" };

type Keys = Pick<Settings, "mode" | "signingKeys">;

/**
 * Asks the app at `url` (already checked and in its stored form). `deployId` comes back with an out-of-band registration.
 * Throws a `MillraceError` with a reason of AP-9. `now` in ms since 1970.
 */
export async function requestSync(settings: Settings, url: string, deployId: string, now: number): Promise<SyncAnswer> {
  const outcome = await send(settings, url, deployId, now);
  if (!outcome.ok) throw transportError(outcome.code, outcome.message);
  return judgeReply(outcome.reply, settings, now);
}

async function send(settings: Settings, url: string, deployId: string, now: number): Promise<HttpOutcome> {
  const body = canonicalJson({ url });
  const request = {
    url: `${url}${url.includes("?") ? "&" : "?"}deployId=${deployId}`,
    method: "PUT",
    body,
    timeout: REGISTRATION.timeout,
    replyBytes: REGISTRATION.bodyBytes,
    policy: appTargetPolicy(settings),
  } as const;
  const headers = {
    "content-type": "application/json",
    "x-inngest-server-kind": settings.mode,
    "x-inngest-sync-kind": "in_band",
  };
  let outcome: HttpOutcome | null = null;
  // A 401 may only mean that the app still has the other key during a rotation (SE-7).
  for (const key of settings.signingKeys) {
    const signature = await signBody(key, body, now);
    outcome = await exchange({ ...request, headers: { ...headers, "x-inngest-signature": signature } });
    if (!outcome.ok || outcome.reply.status !== 401) return outcome;
  }
  return outcome ?? (await exchange({ ...request, headers }));
}

function transportError(code: ErrorCode, message: string): MillraceError {
  switch (code) {
    case "call_timeout":
      return new MillraceError("timeout", `The app did not answer the sync within ${REGISTRATION.timeout / 1000} s.`);
    case "reply_too_large":
      return new MillraceError("not_sdk", `${message} No SDK answers a sync with that much.`);
    case "private_address":
    case "unsupported_protocol":
      return new MillraceError(code, message);
    default:
      return new MillraceError("unreachable", message);
  }
}

/**
 * What a reply to the PUT means. Throws a `MillraceError` when it is no success, with the app's own message where it has one.
 * Pure but for the comparison of signatures.
 */
export async function judgeReply(reply: RawReply, keys: Keys, now: number): Promise<SyncAnswer> {
  const handled = "x-inngest-sdk-handled" in reply.headers || "x-inngest-sdk" in reply.headers;
  const parsed = parseJson(reply.body);
  const body = parsed.ok ? parsed.value : null;
  if (reply.status < 200 || reply.status > 299 || !handled) throw refusal(reply, handled, body, keys.mode);
  if (reply.headers["x-inngest-sync-kind"] !== "in_band") return { kind: "out_of_band" };
  if (!isObject(body)) throw new MillraceError("not_sdk", "The app's in-band reply is not a JSON object.");
  // An app in dev mode signs nothing; saying so helps more than calling its reply a forgery.
  const appMode = modeOf(body);
  if (appMode !== null && appMode !== keys.mode) {
    throw new MillraceError("environment_mismatch", modeSentence(appMode, keys.mode));
  }
  if (!(await isAuthentic(reply, body, keys, now))) {
    throw new MillraceError("unauthorized", "The app's reply is not signed with this environment's signing key.");
  }
  return { kind: "in_band", body };
}

function refusal(reply: RawReply, handled: boolean, body: Json, mode: Keys["mode"]): MillraceError {
  const { status } = reply;
  const said = isObject(body) && typeof body["message"] === "string" ? ` It said: ${body["message"]}` : "";
  // Another engine, or this one, answers politely to a PUT of any path; it is still no app.
  if (!handled && "x-inngest-server-kind" in reply.headers) return notSdk(status);
  switch (status) {
    case 401: {
      const hint = handled && mode === "dev" ? ` ${modeSentence("cloud", mode)}` : "";
      return new MillraceError("unauthorized", `The app refused the sync with 401.${hint}${said}`);
    }
    case 403:
      return new MillraceError("forbidden", `The app refused the sync with 403.${said}`);
    case 404:
      return new MillraceError("url_not_found", `Nothing is served at this path: 404.${said}`);
  }
  if (status >= 500) return new MillraceError("server_error", `The app failed with ${status}.${said}`);
  if (!handled) return notSdk(status);
  return new MillraceError("config_invalid", `The app answered ${status}.${said}`);
}

function notSdk(status: number): MillraceError {
  return new MillraceError("not_sdk", `The reply (${status}) does not come from an Inngest SDK.`);
}

/** The sentence of AP-13: names both modes and the variable to set. */
export function modeSentence(appMode: "dev" | "cloud", engineMode: "dev" | "cloud"): string {
  const value = engineMode === "dev" ? "1" : "0";
  return `The app is in ${appMode} mode and this engine is in ${engineMode} mode: set INNGEST_DEV=${value} in the app.`;
}

function modeOf(body: JsonObject): "dev" | "cloud" | null {
  const inspection = body["inspection"];
  const mode = isObject(inspection) ? inspection["mode"] : null;
  return mode === "dev" || mode === "cloud" ? mode : null;
}

/** SE-5. SDKs sign the text they send; some sign its canonical form. */
async function isAuthentic(reply: RawReply, body: JsonObject, keys: Keys, now: number): Promise<boolean> {
  if (keys.mode === "dev") return true;
  const header = reply.headers["x-inngest-signature"] ?? null;
  if (await verifySignature(keys.signingKeys, header, reply.body, now)) return true;
  return verifySignature(keys.signingKeys, header, canonicalJson(body), now);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
