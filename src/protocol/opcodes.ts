/**
 * The operations an SDK reports (protocol/04): parsed leniently at the border into a closed union.
 * Owns the opcode names and where each carries its data; unknown fields are ignored, unknown opcodes become `unknown`.
 */
import * as z from "zod";
import { jsonBytes } from "../decide/run/turn.ts";
import type { Json, JsonObject } from "../json.ts";
import { CALL, RUN, TRACE } from "../limits.ts";
import { maskNamed } from "../masking.ts";
import { anyJson } from "./any-json.ts";
import { type MetadataChange, metadataOfOp } from "./metadata.ts";

/** An error as SDKs serialise it (protocol/03 §3.2). Always has `name` and `message`; everything else is kept as sent. */
export interface StepError extends JsonObject {
  readonly name: string;
  readonly message: string;
}

/** How a step is shown: the user's label, the SDK's kind of step, and what the app measured. */
export interface StepLabel {
  readonly name: string;
  /** `step.sendEvent`, `step.ai.wrap` …; null for plain steps. */
  readonly type: string | null;
  /** Whether it can be executed with another input (CR-27): its arguments, or the request that the engine makes for it. */
  readonly takes?: "arguments" | "request";
}

/** What every operation about a step carries. `id` is the hashed step id. */
interface StepOp {
  readonly id: string;
  readonly label: StepLabel;
  /** `opts.parallelMode == "race"`: the run is rediscovered after each step of the group. */
  readonly race: boolean;
  readonly metadata: readonly MetadataChange[];
  /** The arguments the app executes it with, credentials masked: for people to see. Absent without any, or with too many to keep. */
  readonly input?: Json;
}

/** One operation. */
export type Op =
  | ({ readonly op: "run"; readonly data: Json } & StepOp)
  | ({ readonly op: "error"; readonly error: StepError } & StepOp)
  | ({ readonly op: "failed"; readonly error: StepError } & StepOp)
  | ({ readonly op: "planned" } & StepOp)
  /** `until` is the text to interpret: a duration or a moment. */
  | ({ readonly op: "sleep"; readonly until: string } & StepOp)
  /** `condition` null matches every event of the name; `until` as for a sleep. */
  | ({
      readonly op: "wait";
      readonly event: string;
      readonly condition: string | null;
      readonly until: string;
    } & StepOp)
  | ({
      readonly op: "signal";
      readonly signal: string;
      readonly conflict: "fail" | "replace";
      readonly until: string;
    } & StepOp)
  /** `until` null waits for a year. */
  | ({
      readonly op: "invoke";
      readonly functionId: string;
      readonly payload: JsonObject;
      readonly until: string | null;
    } & StepOp)
  /** A request the engine makes. `opts` may hold credentials: it is performed, never stored. */
  | ({ readonly op: "request"; readonly via: "gateway" | "ai"; readonly opts: Json } & StepOp)
  /** `deferId` lives in a name space of its own. */
  | {
      readonly op: "defer";
      readonly deferId: string;
      readonly functionSlug: string;
      readonly input: Json;
      readonly meta: Json;
    }
  | { readonly op: "undefer"; readonly deferId: string }
  | { readonly op: "complete"; readonly data: Json }
  | { readonly op: "rediscover" }
  | { readonly op: "none" }
  | { readonly op: "unknown"; readonly name: string };

const text = z.string().nullish();

const wire = z.looseObject({
  id: text,
  op: z.string(),
  name: text,
  displayName: text,
  data: anyJson.nullish(),
  error: z.unknown().optional(),
  metadata: z.unknown().optional(),
  opts: z
    .looseObject({
      type: text,
      duration: text,
      parallelMode: text,
      event: text,
      timeout: text,
      if: text,
      signal: text,
      conflict: text,
      function_id: text,
      payload: z.record(z.string(), anyJson).nullish(),
      target_hashed_id: text,
      fn_slug: text,
      input: anyJson.nullish(),
      meta: anyJson.nullish(),
    })
    .nullish(),
  userland: z.looseObject({ id: text }).nullish(),
});

/** A reply's array of operations, or a single one (protocol/03 §3.2). */
export const opsSchema = z.union([z.array(wire), wire.transform((one) => [one])]).transform((ops) => ops.map(toOp));

function toOp(raw: z.infer<typeof wire>): Op {
  const kind = raw.op.toLowerCase();
  switch (kind) {
    case "none":
      return { op: "none" };
    case "runcomplete":
    case "syncruncomplete":
      return { op: "complete", data: raw.data ?? null };
    case "discoveryrequest":
      return { op: "rediscover" };
    default:
  }
  const fault = idFault(raw.id) ?? (raw.opts?.target_hashed_id ? idFault(raw.opts.target_hashed_id) : null);
  if (raw.id === undefined || raw.id === null || fault !== null) {
    return { op: "unknown", name: `${raw.op.slice(0, 100)} ${fault}` };
  }
  const step: StepOp = {
    id: raw.id,
    label: labelOf(kind, raw.id, raw),
    race: raw.opts?.parallelMode === "race",
    metadata: metadataOfOp(raw.id, raw.metadata),
    ...inputOf(kind, raw.opts?.input),
  };
  switch (kind) {
    case "steprun":
    case "step":
      return { op: "run", data: raw.data ?? null, ...step };
    case "steperror":
      return { op: "error", error: toError(raw.error), ...step };
    case "stepfailed":
      return { op: "failed", error: toError(raw.error), ...step };
    case "stepplanned":
      return { op: "planned", ...step };
    case "sleep":
      // Go says how long in `opts.duration`; JavaScript and Python put a duration or a date into `name`.
      return { op: "sleep", until: raw.opts?.duration ?? raw.name ?? "", ...step };
    case "waitforevent":
      return {
        op: "wait",
        event: raw.opts?.event ?? raw.name ?? "",
        condition: raw.opts?.if ?? null,
        until: raw.opts?.timeout ?? "",
        ...step,
      };
    case "waitforsignal":
      return {
        op: "signal",
        signal: raw.opts?.signal ?? raw.name ?? "",
        conflict: raw.opts?.conflict === "replace" ? "replace" : "fail",
        until: raw.opts?.timeout ?? "",
        ...step,
      };
    case "invokefunction":
      return {
        op: "invoke",
        functionId: raw.opts?.function_id ?? "",
        payload: raw.opts?.payload ?? {},
        until: raw.opts?.timeout ?? null,
        ...step,
      };
    case "gateway":
      return { op: "request", via: "gateway", opts: optsOf(raw.opts), ...step };
    case "aigateway":
      return { op: "request", via: "ai", opts: optsOf(raw.opts), ...step };
    case "deferadd":
      return {
        op: "defer",
        deferId: raw.id,
        functionSlug: raw.opts?.fn_slug ?? "",
        input: raw.opts?.input ?? null,
        meta: raw.opts?.meta ?? null,
      };
    case "deferabort":
      return { op: "undefer", deferId: raw.opts?.target_hashed_id ?? "" };
    default:
      return { op: "unknown", name: raw.op.slice(0, 100) };
  }
}

// Ids travel in URLs and headers, which cannot carry everything.
const ID = /^[\x20-\x7e]*$/;

/** What is wrong with an id, in words that follow the operation's name; null when it can be used. */
function idFault(id: string | null | undefined): string | null {
  if (id === undefined || id === null || id === "") return "without an id";
  if (id.length > RUN.step.idLength) {
    return `with an id of ${id.length} characters, of which ${RUN.step.idLength} are allowed`;
  }
  return ID.test(id) ? null : "with an id of other characters than those of ASCII that can be seen";
}

function labelOf(kind: string, id: string, { displayName, userland, name, opts }: z.infer<typeof wire>): StepLabel {
  const takes =
    kind === "gateway" || kind === "aigateway"
      ? "request"
      : Array.isArray(opts?.input) && opts.input.length > 0 && PLAIN.has(kind)
        ? "arguments"
        : null;
  return {
    name: (displayName ?? userland?.id ?? name ?? id).slice(0, RUN.step.nameLength),
    type: opts?.type?.slice(0, RUN.step.nameLength) ?? null,
    ...(takes === null ? {} : { takes }),
  };
}

function inputOf(kind: string, input: Json | null | undefined): { readonly input?: Json } {
  if (!PLAIN.has(kind) || !Array.isArray(input) || input.length === 0) return {};
  const bytes = new TextEncoder().encode(JSON.stringify(input)).byteLength;
  return bytes <= TRACE.inputBytes ? { input: maskNamed(input) } : {};
}

/** What an app says of a step that it executes itself. */
const PLAIN: ReadonlySet<string> = new Set(["step", "steprun", "steperror", "stepfailed", "stepplanned"]);

const anyObject = z.record(z.string(), anyJson);

function optsOf(opts: unknown): JsonObject {
  return anyObject.safeParse(opts).data ?? {};
}

const errorObject = z.record(z.string(), anyJson);

/**
 * Makes any thrown thing an app reported into an error object; text becomes the message (EX-30). Of one beyond `RUN.errorBytes` only the
 * beginning is kept.
 */
export function toError(raw: unknown): StepError {
  const error = errorOf(raw);
  const bytes = jsonBytes(error);
  if (bytes <= RUN.errorBytes) return error;
  const message = `${beginningOf(error.message)} (The error has ${bytes} bytes and was cut; the limit is ${RUN.errorBytes} bytes.)`;
  const { stack } = error;
  return {
    name: error.name.slice(0, RUN.step.nameLength),
    message,
    ...(typeof stack === "string" ? { stack: beginningOf(stack) } : {}),
  };
}

function beginningOf(text: string): string {
  return text.length <= CALL.quotedBytes ? text : `${text.slice(0, CALL.quotedBytes)}…`;
}

function errorOf(raw: unknown): StepError {
  const object = errorObject.safeParse(raw);
  if (!object.success) return { name: "Error", message: typeof raw === "string" ? raw : JSON.stringify(raw ?? null) };
  const { name } = object.data;
  // What an SDK says of its own trouble is under `error` (protocol/03 §3.4).
  const message = object.data["message"] ?? object.data["error"];
  return {
    ...object.data,
    name: typeof name === "string" && name !== "" ? name : "Error",
    message: typeof message === "string" ? message : JSON.stringify(message ?? ""),
  };
}
