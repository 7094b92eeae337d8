/**
 * Why a run is not moving, as REST v1 says it (BY-12): one sentence per cause, and the same as data. Pure.
 */
import * as z from "zod";
import type { LineRef } from "../../decide/capacity/line.ts";
import type { Cause } from "../../decide/run/why.ts";
import type { JsonObject } from "../../json.ts";
import { time } from "./reply.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

const causeReply = z.looseObject({
  cause: z.string(),
  sentence: z.string(),
  since: time,
  until: time.nullable(),
  step: z.string().nullable(),
});

/** The form of a run's causes; each has more fields, by its kind. */
export const whyReply = z.object({ run_id: z.string(), status: z.string(), causes: z.array(causeReply) });

/** One cause: what it is, since when, until when, in words and as data. */
export function causeJson(cause: Cause): JsonObject {
  const { cause: kind, since, until, step, ...details } = cause;
  return {
    cause: kind,
    sentence: sentenceOf(cause),
    since: isoTime(since),
    until: isoTimeOrNull(until),
    step,
    ...detailsJson(details),
  };
}

/** Times inside the details become text, like all times of this surface. */
function detailsJson(details: object): JsonObject {
  const entries = Object.entries(details).map(([name, value]) => {
    if (name === "holders" && Array.isArray(value)) {
      return [name, value.map(({ runId, since }) => ({ run_id: runId, since: isoTime(since) }))];
    }
    if (name === "estimate") return [name, typeof value === "number" ? isoTime(value) : null];
    return [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value];
  });
  return Object.fromEntries(entries);
}

function sentenceOf(cause: Cause): string {
  const where = cause.step === null ? "" : ` in step "${cause.step}"`;
  const until = cause.until === null ? "" : ` until ${isoTime(cause.until)}`;
  switch (cause.cause) {
    case "scheduled":
      return `It starts at ${isoTime(cause.until ?? cause.since)}.`;
    case "paused":
      return "Its function is paused; it goes on when the function is resumed.";
    case "sleeping":
      return `It sleeps${where}${until}.`;
    case "event":
      return `It waits${where} for the event ${cause.event}${cause.condition === null ? "" : ` with ${cause.condition}`}${until}.`;
    case "signal":
      return `It waits${where} for the signal "${cause.signal}"${until}.`;
    case "child":
      return `It waits${where} for the function ${cause.functionId} to end${until}.`;
    case "singleton":
      return `It waits for another run of its function${cause.key === "" ? "" : ` with the key "${cause.key}"`} to end.`;
    case "retry":
      return `Attempt ${cause.attempt}${where} failed: ${messageIn(cause.error)} It is tried again at ${isoTime(cause.until ?? cause.since)}.`;
    case "concurrency":
      return `It waits${where} for ${limitWords(cause.line)}${aheadWords(cause.ahead)}${holderWords(cause.holders)}.`;
    case "throttle":
      return `The throttle${keyWords(cause.line)} holds its start back${aheadWords(cause.ahead)}${until}.`;
    case "call":
      return `${cause.request ? "The engine's request" : "The call of the app"}${where} has not been answered yet; it is given up at ${isoTime(cause.until ?? cause.since)}.`;
    case "handler":
      return `The app's own handler executes it; the engine takes it over at ${isoTime(cause.until ?? cause.since)}, should it fall silent.`;
    case "cancelling":
      return "It is being cancelled: what executes is let to its end.";
    case "due":
      return "It is about to be called.";
  }
}

function limitWords(line: LineRef): string {
  const owner = { fn: "its function", env: "the environment", account: "the account" }[line.scope];
  return `the ${line.counts === "runs" ? "limit of whole runs" : "concurrency limit"} of ${owner}${keyWords(line)}`;
}

function keyWords({ expression, key }: LineRef): string {
  return expression === null ? "" : ` for the key "${key}"`;
}

function aheadWords(ahead: number | null): string {
  if (ahead === null || ahead === 0) return "";
  return `, behind ${ahead} other${ahead === 1 ? " run" : " runs"}`;
}

function holderWords(holders: readonly { readonly runId: string }[]): string {
  const [first, ...others] = holders;
  if (first === undefined) return "";
  return `; run ${first.runId}${others.length === 0 ? "" : ` and ${others.length} more`} hold${others.length === 0 ? "s" : ""} it`;
}

/** An error's own words, as one sentence. */
function messageIn(error: unknown): string {
  const message =
    typeof error === "object" && error !== null && "message" in error && typeof error.message === "string"
      ? error.message
      : "the app failed.";
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
