/**
 * Operations and replies as SDKs write them (protocol/04), for scripts. Step ids are readable instead of hashed: to the engine they
 * are opaque (EX-5).
 */
import type { Reply } from "../harness/scripted-app.ts";

/** One operation. */
export type Op = Readonly<Record<string, unknown>>;

function op(code: string, id: string, more: Op = {}): Op {
  return { op: code, id, name: id, displayName: id, opts: {}, userland: { id }, data: null, ...more };
}

/** A step that ran. */
export const run = (id: string, data: unknown = `result of ${id}`): Op => op("StepRun", id, { data });

/** A step to be called for. */
export const planned = (id: string, more: Op = {}): Op => op("StepPlanned", id, more);

/** A step that threw and may be tried again. */
export const threw = (id: string, message = `${id} threw`): Op => op("StepError", id, { error: error(message) });

/** A step that failed for good. */
export const failed = (id: string, message = `${id} failed`): Op => op("StepFailed", id, { error: error(message) });

/** A sleep; `length` is a duration or a date. */
export const nap = (id: string, length: string): Op => op("Sleep", id, { name: length });

/** The end of the run. */
export const complete = (data: unknown): Op => op("RunComplete", "0737c22d3bfae812339732d14d8c7dbd6dc4e09c", { data });

/** An error as SDKs serialise it. */
export function error(message: string, name = "Error") {
  return { name, message, stack: `${name}: ${message}\n    at step`, __serialized: true };
}

/** 206 with operations. */
export const progress = (...ops: readonly Op[]): Reply => ({ status: 206, body: ops });

/** 200 with the function's output. */
export const done = (output: unknown = "done"): Reply => ({ body: output });

/** The function threw, and may be tried again. */
export function threwInBody(message: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 500, headers: { "x-inngest-no-retry": "false", ...headers }, body: error(message) };
}

/** The function threw for good. */
export function failedInBody(message: string): Reply {
  return { status: 400, headers: { "x-inngest-no-retry": "true" }, body: error(message) };
}

/** The reply, given by an SDK of v3. */
export const asV3 = (reply: Reply): Reply => ({ ...reply, as: "v3" });
