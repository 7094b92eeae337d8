/**
 * `POST /v1/runs/:runId/metadata` (EX-72, protocol/11): metadata and scores written from outside a step. Owns the route:
 * 200 stored, 400 malformed, 404 unknown run, 413 beyond the limits.
 */
import { Hono } from "hono";
import * as z from "zod";
import { MillraceError } from "../errors.ts";
import { readBody } from "../events/body.ts";
import { isUlid } from "../ids.ts";
import { parseJson } from "../json.ts";
import { RUN } from "../limits.ts";
import { metadataBody, parseMetadata } from "../protocol/metadata.ts";
import { askRun } from "../runs/ask.ts";
import type { Api } from "./api.ts";
import { authenticate } from "./authentication.ts";
import { described } from "./openapi/described.ts";
import { one, reply } from "./v1/reply.ts";

/** To be mounted at `/`. */
export const metadata = new Hono<Api>();

const answers = { 200: one(z.object({ run_id: z.string() })) };
const note = {
  id: "addMetadata",
  summary: "Stores metadata and scores of a run or step.",
  body: metadataBody,
  answers,
};

metadata.post("/v1/runs/:runId/metadata", described(note), authenticate, async (context): Promise<Response> => {
  const runId = context.req.param("runId");
  if (!isUlid(runId)) throw new MillraceError("run_not_found", `No run has the id "${runId}".`);
  const json = parseJson(await readBody(context.req.raw, RUN.metadata.runBytes));
  if (!json.ok) throw new MillraceError("body_invalid", `The metadata is not JSON: ${json.reason}.`);
  const parsed = parseMetadata(json.value);
  if (!parsed.ok) throw new MillraceError("invalid_request", parsed.message);
  const stored = await askRun(context.env, context.get("environment").id, runId, (run) => run.annotate(parsed.changes));
  switch (stored) {
    case "stored":
      return reply(context, { run_id: runId });
    case "too_large": {
      const { entryBytes, runBytes } = RUN.metadata;
      const message = `Metadata may have ${entryBytes} bytes per entry and ${runBytes} bytes per run.`;
      throw new MillraceError("request_too_large", message);
    }
    case "unknown":
      throw new MillraceError("run_not_found", `No run has the id "${runId}".`);
  }
});
