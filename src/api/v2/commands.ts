/**
 * What v2 does to runs (API-22): invoking, running again, cancelling, scoring. Owns the form of these requests; each is done by the same
 * function as over v1.
 */
import * as z from "zod";
import { currentCatalog } from "../../apps/catalog.ts";
import { functionIn } from "../../apps/named.ts";
import { MillraceError } from "../../errors.ts";
import { readRun } from "../../history/read.ts";
import { isUlid } from "../../ids.ts";
import { COMMAND, RERUN, RUN } from "../../limits.ts";
import { anyJson } from "../../protocol/any-json.ts";
import { askRun } from "../../runs/ask.ts";
import { cancelRun } from "../../runs/cancel.ts";
import { firstId } from "../../runs/first-id.ts";
import { invokeOnce } from "../../runs/invoke-once.ts";
import { hashedStepId } from "../../runs/original.ts";
import { rerun } from "../../runs/rerun.ts";
import { operation } from "./operation.ts";
import { name } from "./parameters.ts";
import { runJson, runReply } from "./run.ts";

const key = z
  .string("must be text")
  .min(1, "must not be empty")
  .max(RERUN.textLength, `must have at most ${RERUN.textLength} characters`)
  .nullable()
  .default(null)
  .describe("Requests with the same key within 24 hours are one.");

const object = z.record(z.string(), anyJson, "must be an object");

const fromStep = z.object({
  stepId: name.describe("As the function names it, with :<n> for a repetition, or hashed."),
  input: z.array(anyJson, "must be the list of arguments").nullable().default(null),
});

/** The calls. */
export const commands = [
  operation({
    id: "invokeFunction",
    method: "POST",
    path: "/apps/:appId/functions/:functionId/invoke",
    summary: "Starts a run of a function.",
    parameters: { appId: name, functionId: name },
    body: { data: object.nullable().default(null), user: object.nullable().default(null), idempotencyKey: key },
    data: z.object({ runId: z.string().nullable(), eventId: z.string() }),
    handler: async (call, { appId, functionId, data, user, idempotencyKey }) => {
      const { bindings, environment, settings, headers, now } = call;
      const catalog = await currentCatalog(bindings, environment.id, now);
      const { id: slug } = functionIn(catalog, { app: appId, function: functionId });
      const request = { slug, data: data ?? {}, user: user ?? {}, headers };
      const wish = { ...request, key: idempotencyKey ?? headers.get("idempotency-key") };
      const { runId, eventId, skipped } = await invokeOnce(bindings, environment.id, wish, {
        now,
        maxEventBytes: settings.maxEventBytes,
      });
      if (skipped === "rate_limited") throw new MillraceError("rate_limited", "The function's rate limit is reached.");
      if (skipped !== null) throw new MillraceError("function_skipped", `The function starts nothing now: ${skipped}.`);
      return { data: { runId, eventId } };
    },
  }),
  operation({
    id: "rerunRun",
    method: "POST",
    path: "/runs/:runId/rerun",
    summary: "Runs a run again, from its beginning or from a step.",
    parameters: { runId: name },
    body: { fromStep: fromStep.nullable().default(null), idempotencyKey: key },
    bodyBytes: RERUN.bodyBytes,
    data: z.object({ runId: z.string(), originalRunId: z.string() }),
    handler: async ({ bindings, environment, headers, now }, { runId: originalRunId, fromStep, idempotencyKey }) => {
      const request = { scope: `rerun ${originalRunId}`, key: idempotencyKey ?? headers.get("idempotency-key") };
      const { id: runId } = await firstId(bindings, environment.id, request, now);
      const { stepId, input } = fromStep ?? { stepId: null, input: null };
      await rerun(bindings, environment.id, { runId, originalRunId, fromStep: stepId, input }, now);
      return { data: { runId, originalRunId } };
    },
  }),
  operation({
    id: "cancelRun",
    method: "POST",
    path: "/runs/:runId/cancel",
    summary: "Cancels a run; what executes is let to its end.",
    parameters: { runId: name },
    body: {},
    bodyBytes: COMMAND.bodyBytes,
    data: runReply,
    handler: async ({ bindings, environment, now }, { runId }) => {
      const read = () => readRun(bindings, environment.id, runId);
      try {
        await cancelRun(bindings, environment.id, runId, { by: "api" });
      } catch (error) {
        const before = error instanceof MillraceError && error.code === "run_ended" ? await read() : null;
        if (before?.row.status !== "cancelled") throw error;
        throw new MillraceError("run_cancelled", `The run "${runId}" is cancelled already.`);
      }
      const view = await read();
      if (view === null) throw new MillraceError("run_not_found", `No run has the id "${runId}".`);
      return { data: runJson(view.row, await currentCatalog(bindings, environment.id, now), { output: true }) };
    },
  }),
  operation({
    id: "createScore",
    method: "POST",
    path: "/runs/:runId/scores",
    summary: "Notes a score of a run, or of one of its steps.",
    parameters: { runId: name },
    body: {
      name: name.max(RERUN.textLength, `must have at most ${RERUN.textLength} characters`),
      value: z.union([z.number(), z.boolean()], "must be a number, or true or false"),
      stepId: name
        .nullable()
        .default(null)
        .describe("As the function names it, or hashed; absent: the run as a whole."),
    },
    bodyBytes: COMMAND.bodyBytes,
    data: z.object({ runId: z.string(), name: z.string(), value: z.union([z.number(), z.boolean()]) }),
    handler: async ({ bindings, environment }, { runId, name: label, value, stepId }) => {
      const unknown = new MillraceError("run_not_found", `No run has the id "${runId}".`);
      if (!isUlid(runId)) throw unknown;
      const step = stepId === null || /^[0-9a-f]{40}$/.test(stepId) ? stepId : await hashedStepId(stepId);
      const change = { stepId: step, kind: "inngest.score", op: "merge", values: { [label]: { value } } } as const;
      switch (await askRun(bindings, environment.id, runId, (run) => run.annotate([change]))) {
        case "stored":
          return { data: { runId, name: label, value } };
        case "too_large":
          throw new MillraceError("request_too_large", `Metadata may have ${RUN.metadata.runBytes} bytes per run.`);
        case "unknown":
          throw unknown;
      }
    },
  }),
];
