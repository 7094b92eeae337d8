/**
 * One function of a registration as SDKs write it (protocol/02 "Function object", AP-19). Owns the shapes that are accepted and
 * nothing of their meaning: ranges, combinations and expressions are judged in src/apps/validation.
 * Guarantees that a function of any shape becomes either a typed value with its unknown fields named, or a list of violations.
 */
import * as z from "zod";
import type { ErrorCode } from "../errors.ts";
import type { Json, JsonObject } from "../json.ts";
import { REGISTRATION } from "../limits.ts";

/** A rule that a registration breaks (AP-14). */
export interface Violation {
  readonly code: ErrorCode;
  /** Slug of the function; null when the rule is about the app. */
  readonly functionId: string | null;
  /** The option as users write it, with the path inside it: `throttle.period`. */
  readonly option: string;
  /** What is wrong, without the names above. */
  readonly rule: string;
}

/** Text as in `1h30m`, or a number whose unit depends on the SDK. */
const length = z.union([z.string(), z.number()], { error: "must be a duration" });

const trigger = z.strictObject({
  event: z.string().optional(),
  expression: z.string().optional(),
  cron: z.string().optional(),
  jitter: length.optional(),
});

const limit = z.strictObject({
  limit: z.number().optional(),
  key: z.string().optional(),
  scope: z.string().optional(),
});

const retries = z.strictObject({ attempts: z.number().optional() });

const step = z.strictObject({
  id: z.string().optional(),
  name: z.string().optional(),
  runtime: z.looseObject({ type: z.string().optional(), url: z.string().optional() }).optional(),
  retries: retries.optional(),
});

const schema = z.strictObject({
  id: z.string().default(""),
  name: z.string().max(REGISTRATION.nameLength, `must have at most ${REGISTRATION.nameLength} characters`).optional(),
  triggers: z.array(trigger).default([]),
  steps: z.record(z.string(), step).default({}),
  retries: retries.optional(),
  concurrency: z.strictObject({ fn: z.array(limit).default([]), step: z.array(limit).default([]) }).optional(),
  throttle: z
    .strictObject({ limit: z.number(), period: length, burst: z.number().optional(), key: z.string().optional() })
    .optional(),
  rateLimit: z.strictObject({ limit: z.number(), period: length, key: z.string().optional() }).optional(),
  idempotency: z.string().optional(),
  debounce: z.strictObject({ period: length, timeout: length.optional(), key: z.string().optional() }).optional(),
  batchEvents: z
    .strictObject({
      maxSize: z.number(),
      timeout: length.optional(),
      key: z.string().optional(),
      if: z.string().optional(),
    })
    .optional(),
  singleton: z.strictObject({ mode: z.string(), key: z.string().optional() }).optional(),
  priority: z.strictObject({ run: z.string().optional() }).optional(),
  timeouts: z.strictObject({ start: length.optional(), finish: length.optional() }).optional(),
  cancel: z
    .array(
      z.strictObject({
        event: z.string().optional(),
        if: z.string().optional(),
        match: z.string().optional(),
        timeout: length.optional(),
      }),
    )
    .default([]),
  // An announcement of how the SDK will call back; the engine adapts to whatever it then does.
  checkpoint: z.unknown().optional(),
});

/** A function whose shape is known; its values are not judged yet. */
export type WireFunction = z.output<typeof schema>;

/** What parsing one function gave. `unknown` lists the paths of fields that were left out (AP-16). */
export type ParsedFunction =
  | { readonly ok: true; readonly function: WireFunction; readonly unknown: readonly string[] }
  | { readonly ok: false; readonly violations: readonly Violation[] };

/** Parses one element of `functions`. Null counts as absent; a field nobody knows is dropped and named. */
export function parseFunction(value: Json, index: number): ParsedFunction {
  const body = copyWithoutNulls(value);
  if (!isObject(body)) {
    const violation = violationOf(null, ["functions", index], "must be an object");
    return { ok: false, violations: [violation] };
  }
  unify(body);
  const unknown: string[] = [];
  for (;;) {
    const parsed = schema.safeParse(body);
    if (parsed.success) return { ok: true, function: parsed.data, unknown };
    const surplus = parsed.error.issues.filter((issue) => issue.code === "unrecognized_keys");
    const pruned = surplus.flatMap((issue) => prune(body, issue.path, issue.keys));
    if (pruned.length === 0) {
      const id = typeof body["id"] === "string" ? body["id"] : `#${index + 1}`;
      const violations = parsed.error.issues.map((issue) => violationOf(id, issue.path, issue.message));
      return { ok: false, violations };
    }
    unknown.push(...pruned);
  }
}

function violationOf(functionId: string | null, path: readonly PropertyKey[], rule: string): Violation {
  const option = pathText(path);
  return { code: codeFor(option), functionId, option, rule: rule.replace(/^Invalid input: /, "") };
}

/** AP-14 gives three options codes of their own. */
function codeFor(option: string): ErrorCode {
  if (option.startsWith("concurrency")) return "concurrency_limit_invalid";
  if (option === "batchEvents.maxSize") return "batch_size_invalid";
  return option === "batchEvents.timeout" ? "batch_timeout_invalid" : "config_invalid";
}

/** A path as users know it: they write `cancelOn`, and neither the steps nor the retries and the URL inside them. */
function pathText(path: readonly PropertyKey[]): string {
  const [first = "", ...rest] = path;
  if (first === "steps" && rest.includes("retries")) return "retries";
  if (first === "steps" && rest.includes("runtime")) return "url";
  const inner = rest.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`));
  return `${first === "cancel" ? "cancelOn" : String(first)}${inner.join("")}`;
}

/** A copy that may be changed. */
type Draft = null | boolean | number | string | Draft[] | DraftObject;
interface DraftObject {
  [key: string]: Draft;
}

function copyWithoutNulls(value: Json): Draft {
  if (Array.isArray(value)) return value.map(copyWithoutNulls);
  if (value === null || typeof value !== "object") return value;
  // Array.isArray does not exclude readonly arrays from the type, so it must be said that only objects are left.
  const entries = Object.entries(value as JsonObject).filter(([, inner]) => inner !== null);
  return Object.fromEntries(entries.map(([key, inner]) => [key, copyWithoutNulls(inner)]));
}

function isObject(value: Draft | undefined): value is DraftObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Brings the several spellings of one option into the one the schema has. */
function unify(body: DraftObject): void {
  const attempts = body["retries"];
  if (typeof attempts === "number") body["retries"] = { attempts };
  const concurrency = body["concurrency"];
  if (concurrency !== undefined && !(isObject(concurrency) && ("fn" in concurrency || "step" in concurrency))) {
    const limits = Array.isArray(concurrency) ? concurrency : [concurrency];
    body["concurrency"] = { step: limits.map((limit) => (typeof limit === "number" ? { limit } : limit)) };
  }
  const cancelOn = body["cancelOn"];
  if (cancelOn !== undefined && !("cancel" in body)) {
    body["cancel"] = cancelOn;
    delete body["cancelOn"];
  }
}

/** Removes fields of one object and returns the paths of those it removed. */
function prune(body: DraftObject, path: readonly PropertyKey[], keys: readonly string[]): string[] {
  let at: Draft | undefined = body;
  for (const part of path) {
    if (Array.isArray(at) && typeof part === "number") at = at[part];
    else if (isObject(at) && typeof part === "string") at = at[part];
  }
  if (!isObject(at)) return [];
  const removed: string[] = [];
  for (const key of keys) {
    if (!Object.hasOwn(at, key)) continue;
    delete at[key];
    removed.push(pathText([...path, key]));
  }
  return removed;
}
