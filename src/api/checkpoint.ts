/**
 * `POST /v1/checkpoint/:runId/async`, also under `/v1/http/runs` (EX-66, protocol/09 §9.3). Owns the route and its statuses:
 * 200 stored, 400 malformed, 404 unknown run, 409 a call that no longer counts, 413 too large.
 */
import { Hono } from "hono";
import * as z from "zod";
import { MillraceError } from "../errors.ts";
import { readBody } from "../events/body.ts";
import { isUlid } from "../ids.ts";
import { parseJson } from "../json.ts";
import { CALL } from "../limits.ts";
import { parseCheckpoint } from "../protocol/checkpoint.ts";
import { askRun } from "../runs/ask.ts";
import type { Api } from "./api.ts";
import { authenticate } from "./authentication.ts";
import { described } from "./openapi/described.ts";
import { one, reply } from "./v1/reply.ts";

const NOTE = {
  summary: "Steps that an app's SDK reports while it goes on.",
  body: z.looseObject({}),
  answers: { 200: one(z.object({ run_id: z.string() })) },
};

/** To be mounted at `/`. */
export const checkpoint = new Hono<Api>();

for (const prefix of ["/v1/checkpoint", "/v1/http/runs"]) {
  const note = { ...NOTE, id: prefix === "/v1/checkpoint" ? "checkpoint" : "checkpointOfEndpoint" };
  checkpoint.post(`${prefix}/:runId/async`, described(note), authenticate, async (context) => {
    const runId = context.req.param("runId");
    if (!isUlid(runId)) throw new MillraceError("run_not_found", `No run has the id "${runId}".`);
    const json = parseJson(await readBody(context.req.raw, CALL.replyBytes));
    if (!json.ok) throw new MillraceError("body_invalid", `The checkpoint is not JSON: ${json.reason}.`);
    const parsed = parseCheckpoint(runId, json.value);
    if (!parsed.ok) throw new MillraceError(parsed.code, parsed.message);
    const { id } = context.get("environment");
    const outcome = await askRun(context.env, id, runId, (run) => run.checkpoint(parsed.checkpoint));
    switch (outcome) {
      case "stored":
        return reply(context, { run_id: runId });
      case "stale":
        throw new MillraceError("conflict", "Another call of this run has taken over, or the run has ended.");
      case "unknown":
        throw new MillraceError("run_not_found", `No run has the id "${runId}".`);
    }
  });
}
