/**
 * A checkpoint of an ordinary function (protocol/09 §9.3): steps that a call under way has finished. Owns the request's shape
 * and which operations may travel in it; what they do is the run's to decide.
 */
import * as z from "zod";
import { jsonBytes } from "../decide/run/turn.ts";
import { RUN } from "../limits.ts";
import { type Op, opsSchema } from "./opcodes.ts";

/** Which delivery a checkpoint belongs to, and what it reports. `generation` null: the SDK did not say. */
export interface Checkpoint {
  readonly functionId: string | null;
  readonly job: number;
  readonly generation: number | null;
  readonly ops: readonly Op[];
}

/** A parsed checkpoint, or what is wrong with it. */
export type ParsedCheckpoint =
  | { readonly ok: true; readonly checkpoint: Checkpoint }
  | { readonly ok: false; readonly code: "invalid_request" | "request_too_large"; readonly message: string };

const body = z.looseObject({
  run_id: z.string().nullish(),
  fn_id: z.string().nullish(),
  qi_id: z.string(),
  generation_id: z.coerce.number().int().nullish(),
  steps: opsSchema.refine((ops) => ops.length <= RUN.checkpointSteps, `more than ${RUN.checkpointSteps} steps`),
});

/** Operations that end a call cannot be checkpointed: they come in its reply. */
const SYNCHRONOUS: ReadonlySet<Op["op"]> = new Set([
  "run",
  "failed",
  "planned",
  "complete",
  "defer",
  "undefer",
  "none",
]);

/** Parses the body of `POST /v1/checkpoint/<runId>/async`. */
export function parseCheckpoint(runId: string, value: unknown): ParsedCheckpoint {
  const parsed = body.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refusal(`Malformed checkpoint at ${issue?.path.join(".") || "the body"}: ${issue?.message}`);
  }
  const { run_id, fn_id, qi_id, generation_id, steps } = parsed.data;
  const [owner, job] = qi_id.split(".");
  if (owner !== runId || (run_id ?? runId) !== runId || job === undefined || !/^\d{1,9}$/.test(job)) {
    return refusal("The checkpoint names a queue item of another run.");
  }
  const refused = steps.find((op) => !SYNCHRONOUS.has(op.op));
  if (refused !== undefined) {
    const name = refused.op === "unknown" ? refused.name : refused.op;
    return refusal(`A checkpoint cannot carry the operation "${name}".`);
  }
  // The SDK goes on with what it has checkpointed. Refused, it brings the result in its reply, where it fails the step (EX-13).
  const large = steps.find((op) => op.op === "run" && jsonBytes(op.data) > RUN.outputBytes);
  if (large !== undefined) {
    return refusal(`A step's result is larger than ${RUN.outputBytes} bytes (4 MiB).`, "request_too_large");
  }
  return {
    ok: true,
    checkpoint: { functionId: fn_id ?? null, job: Number(job), generation: generation_id ?? null, ops: steps },
  };
}

function refusal(
  message: string,
  code: "invalid_request" | "request_too_large" = "invalid_request",
): Extract<ParsedCheckpoint, { readonly ok: false }> {
  return { ok: false, code, message };
}
