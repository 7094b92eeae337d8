/**
 * The form of a trace over REST v1 (OB-7, OB-11); `trace.ts` makes it. What only spans of one kind have is under `details`, and not said here.
 */
import * as z from "zod";
import { anyJson } from "../../protocol/any-json.ts";
import { time } from "./reply.ts";

const spanFields = {
  id: z.string(),
  name: z.string(),
  kind: z.string(),
  status: z.enum(["queued", "running", "waiting", "completed", "failed", "cancelled", "skipped"]),
  step_id: z.string().nullable(),
  step_type: z.string().nullable(),
  attempt: z.int(),
  queued_at: time,
  started_at: time.nullable(),
  ended_at: time.nullable(),
  duration_ms: z.number().nullable(),
  queued_ms: z.number().nullable(),
  limited_ms: z.number(),
  next_attempt_at: time.nullable(),
  request: z.looseObject({}).nullable(),
  input: anyJson.optional(),
  output_id: z.string().nullable(),
  output_bytes: z.int().nullable(),
  output: anyJson.optional(),
  error: anyJson.optional(),
  details: z.looseObject({}).nullable(),
  metadata: z.array(
    z.object({ scope: z.string(), kind: z.string(), values: z.record(z.string(), anyJson), updated_at: time }),
  ),
  warnings: z.array(z.string()),
};

const spanReply = z
  .object({
    ...spanFields,
    get children(): z.ZodArray<z.ZodType> {
      return z.array(spanReply);
    },
  })
  .meta({ id: "Span" });

/** The form of a trace. */
export const traceReply = z.object({
  run_id: z.string(),
  trace_id: z.string(),
  parent: z.object({ run_id: z.string(), step_id: z.string() }).nullable(),
  original_run_id: z.string().nullable(),
  end_events: z.array(z.object({ name: z.string(), id: z.string().nullable() })),
  tokens: z.object({ input: z.number(), output: z.number() }),
  dropped_spans: z.int(),
  root: spanReply,
});

/** The form of an output that a span names: `output`, or `error` of what failed. */
export const outputReply = z.object({
  ok: z.boolean(),
  output: anyJson.optional(),
  error: anyJson.optional(),
  input: anyJson.optional(),
});
