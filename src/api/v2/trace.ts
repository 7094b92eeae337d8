/**
 * A run's trace over v2 (API-22). Owns its form; src/traces draws it.
 */
import * as z from "zod";
import { MillraceError } from "../../errors.ts";
import { anyJson } from "../../protocol/any-json.ts";
import { traceOf } from "../../runs/trace.ts";
import { traceV2 } from "../../traces/v2.ts";
import { operation } from "./operation.ts";
import { name } from "./parameters.ts";

const time = z.iso.datetime();

const spanReply = z
  .object({
    id: z.string(),
    name: z.string(),
    status: z.enum(["QUEUED", "RUNNING", "WAITING", "COMPLETED", "FAILED", "CANCELLED", "SKIPPED"]),
    stepOp: z.string().optional(),
    stepId: z.string().optional(),
    durationMs: z.number().optional(),
    queuedAt: time,
    startedAt: time.optional(),
    endedAt: time.optional(),
    input: anyJson.optional(),
    output: anyJson.optional(),
    metadata: z.array(
      z.object({ scope: z.string(), kind: z.string(), values: z.record(z.string(), anyJson), updatedAt: time }),
    ),
    get children(): z.ZodArray<z.ZodType> {
      return z.array(spanReply);
    },
  })
  .meta({ id: "Span" });

const traceReply = z.object({ runId: z.string(), rootSpan: spanReply });

/** The call. */
export const trace = [
  operation({
    id: "getRunTrace",
    method: "GET",
    path: "/runs/:runId/trace",
    summary: "What a run did, step by step, as a tree of spans.",
    parameters: { runId: name },
    data: traceReply,
    handler: async ({ bindings, environment }, { runId }) => {
      const drawn = await traceOf(bindings, environment.id, runId);
      if (drawn === null) throw new MillraceError("run_not_found", `No run has the id "${runId}".`);
      // The tree has the form above, by what src/traces says of it.
      return { data: traceV2(drawn) as z.output<typeof traceReply> };
    },
  }),
];
