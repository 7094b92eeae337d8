/**
 * What the answers of an app say about its health (AP-26): one sentence for each check, and advice where it fails. Pure.
 */
import type { HttpOutcome } from "../calls/http.ts";
import { type Json, objectOf, parseJson } from "../json.ts";
import { SIGNATURE } from "../limits.ts";
import type { RawReply } from "../protocol/call-reply.ts";
import type { Settings } from "../settings.ts";

/** The app as it is registered. */
export interface RegisteredAt {
  readonly url: string;
  /** Active functions. */
  readonly functions: number;
}

/** What is looked at. */
type CheckName =
  | "reachable"
  | "http_status"
  | "sdk"
  | "mode"
  | "signing_key"
  | "event_key"
  | "function_count"
  | "clock_skew"
  | "body_size"
  | "url";

/** One check. `unknown`: the app did not say, or an earlier check failed. */
export interface HealthCheck {
  readonly check: CheckName;
  readonly result: "ok" | "failed" | "unknown";
  readonly detail: string;
  /** What to do; null unless it failed. */
  readonly advice: string | null;
}

/** What was asked, and what came back. */
export interface Examined {
  readonly app: RegisteredAt;
  readonly settings: Pick<Settings, "mode" | "signingKeys">;
  /** Introspection, signed where there is a key. */
  readonly introspected: HttpOutcome;
  /** A probe with a body of 4 MiB; null when it was not sent. */
  readonly large: HttpOutcome | null;
  /** ms since 1970. */
  readonly now: number;
}

/** The checks, in order. */
export function checksOf(examined: Examined): HealthCheck[] {
  const { introspected } = examined;
  if (!introspected.ok) {
    const advice = "Check the URL, its DNS entry and its certificate, and that the engine may reach it.";
    return [failed("reachable", introspected.message, advice), ...REST.map((check) => unknown(check, "not reached"))];
  }
  const { reply } = introspected;
  const body = parseJson(reply.body);
  const told = objectOf(body.ok ? body.value : null);
  return [
    ok("reachable", "The app answers."),
    statusCheck(reply),
    sdkCheck(reply, told),
    modeCheck(told, examined),
    keyCheck(reply, told, examined),
    eventKeyCheck(told, examined),
    countCheck(told, examined),
    clockCheck(reply, examined),
    sizeCheck(examined),
    urlCheck(told, examined),
  ];
}

const REST: readonly CheckName[] = [
  "http_status",
  "sdk",
  "mode",
  "signing_key",
  "event_key",
  "function_count",
  "clock_skew",
  "body_size",
  "url",
];

type Told = { readonly [field: string]: Json };

function statusCheck({ status }: RawReply): HealthCheck {
  if (status === 200) return ok("http_status", "The app answers with 200.");
  const advice =
    status === 401
      ? "The app did not accept the signature: see signing_key."
      : status === 403
        ? "Something before the app refuses the engine: let it through, or configure what it asks for."
        : "See the app's own log, and check that it serves its functions at this path.";
  return failed("http_status", `The app answers with ${status}.`, advice);
}

function sdkCheck({ headers }: RawReply, told: Told): HealthCheck {
  const isSdk = "x-inngest-sdk-handled" in headers || "x-inngest-sdk" in headers || "schema_version" in told;
  if (isSdk) return ok("sdk", `An SDK answers${headers["x-inngest-sdk"] ? `: ${headers["x-inngest-sdk"]}` : ""}.`);
  return failed("sdk", "No SDK answers at this URL.", "Serve the functions at this path, or correct the URL.");
}

function modeCheck(told: Told, { settings }: Examined): HealthCheck {
  const mode = told["mode"];
  if (typeof mode !== "string") return unknown("mode", "the app does not say");
  if (mode === settings.mode) return ok("mode", `App and engine are in ${mode} mode.`);
  const value = settings.mode === "dev" ? "1" : "0";
  const detail = `The app is in ${mode} mode and this engine is in ${settings.mode} mode.`;
  return failed("mode", detail, `Set INNGEST_DEV=${value} in the app.`);
}

function keyCheck({ status }: RawReply, told: Told, { settings }: Examined): HealthCheck {
  if (settings.mode === "dev") return ok("signing_key", "No key is needed in dev mode.");
  if (told["authentication_succeeded"] === true) return ok("signing_key", "The app accepts the engine's signature.");
  const hash = told["signing_key_hash"];
  const has =
    typeof hash === "string"
      ? ` The app's key has the hash ${hash.slice(0, 12)}.`
      : keylessWords(told["has_signing_key"]);
  if (status !== 401 && told["authentication_succeeded"] !== false && has === "") {
    return unknown("signing_key", "the app does not say");
  }
  const advice = "Set INNGEST_SIGNING_KEY in the app to the signing key of this environment.";
  return failed("signing_key", `The app rejects the engine's signature.${has}`, advice);
}

function keylessWords(hasKey: Json | undefined): string {
  return hasKey === false ? " The app has no signing key." : "";
}

function eventKeyCheck(told: Told, { settings }: Examined): HealthCheck {
  const has = told["has_event_key"];
  if (typeof has !== "boolean") return unknown("event_key", "the app does not say");
  if (has) return ok("event_key", "The app has an event key.");
  if (settings.mode === "dev") return ok("event_key", "The app has no event key, and needs none in dev mode.");
  return failed(
    "event_key",
    "The app has no event key.",
    "Set INNGEST_EVENT_KEY in the app, or it cannot send events.",
  );
}

function countCheck(told: Told, { app }: Examined): HealthCheck {
  const count = told["function_count"];
  if (typeof count !== "number") return unknown("function_count", "the app does not say");
  if (count === app.functions) return ok("function_count", `The app serves the ${count} functions that are synced.`);
  const detail = `The app serves ${count} functions, and ${app.functions} are synced.`;
  return failed("function_count", detail, "Sync the app.");
}

function clockCheck({ headers }: RawReply, { now }: Examined): HealthCheck {
  const date = Date.parse(headers["date"] ?? "");
  if (Number.isNaN(date)) return unknown("clock_skew", "the app's reply has no date");
  const skew = Math.round((date - now) / 1000);
  const detail = `The app's clock differs by ${Math.abs(skew)} s.`;
  if (Math.abs(skew) * 1000 < SIGNATURE.age) return ok("clock_skew", detail);
  const advice = `Set the app's clock: signatures are valid for ${SIGNATURE.age / 1000} s.`;
  return failed("clock_skew", detail, advice);
}

function sizeCheck({ large }: Examined): HealthCheck {
  if (large === null) return unknown("body_size", "not asked");
  const advice = "Raise the body limit of the app's framework or host to 4 MiB.";
  if (!large.ok) return failed("body_size", `A body of 4 MiB is not answered: ${large.message}`, advice);
  if (large.reply.status === 413) return failed("body_size", "A body of 4 MiB is refused with 413.", advice);
  return ok("body_size", "A body of 4 MiB is accepted.");
}

function urlCheck(told: Told, { app }: Examined): HealthCheck {
  const { origin, pathname } = new URL(app.url);
  const [ownOrigin, ownPath] = [told["serve_origin"], told["serve_path"]];
  const says = `${typeof ownOrigin === "string" ? ownOrigin.replace(/\/$/, "") : origin}${typeof ownPath === "string" ? ownPath : pathname}`;
  if (says === `${origin}${pathname}`) return ok("url", "The app is served where it was synced.");
  return failed(
    "url",
    `The app says that it is served at ${says}.`,
    "Sync the app at that URL, or correct its settings.",
  );
}

function ok(check: CheckName, detail: string): HealthCheck {
  return { check, result: "ok", detail, advice: null };
}

function failed(check: CheckName, detail: string, advice: string): HealthCheck {
  return { check, result: "failed", detail, advice };
}

function unknown(check: CheckName, why: string): HealthCheck {
  return { check, result: "unknown", detail: `Not known: ${why}.`, advice: null };
}
