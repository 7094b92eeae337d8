/**
 * Runs that begin in the app's own HTTP handler (EX-68 … EX-70, protocol/09 §9.4): their checkpoints, and the URL that answers with
 * their result. Owns the routes and their statuses: 400 malformed, 404 unknown run, 409 a run that ended, is another one, or goes on
 * without its handler; for results 202 while it runs and 401 without a valid token, which is all the authentication they have.
 */
import { type Context, Hono } from "hono";
import { endpointOf, listEndpoint } from "../apps/endpoint.ts";
import type { Bindings } from "../bindings.ts";
import type { Reported } from "../decide/run/endpoint.ts";
import { MillraceError, messageOf } from "../errors.ts";
import { sourceOf } from "../events/accept.ts";
import { readBody } from "../events/body.ts";
import { isUlid } from "../ids.ts";
import { type Json, parseJson } from "../json.ts";
import { CALL, ENDPOINT } from "../limits.ts";
import { type EndpointResult, httpResponse, responseOf } from "../protocol/endpoint-output.ts";
import { type Parsed, parseNewRun, parseSteps } from "../protocol/endpoint-report.ts";
import { STREAM } from "../protocol/realtime.ts";
import { checkOutputToken, claimedEnvironment, outputToken, realtimeToken } from "../protocol/token.ts";
import { askRun } from "../runs/ask.ts";
import { endpointIdentity } from "../runs/endpoint.ts";
import type { Api } from "./api.ts";
import { authenticate } from "./authentication.ts";
import { database } from "./database.ts";
import { described } from "./openapi/described.ts";
import { endpointNotes } from "./openapi/endpoint-notes.ts";
import { reply } from "./v1/reply.ts";

/** To be mounted at `/`. */
export const endpoint = new Hono<Api>();

for (const prefix of ["/v1/checkpoint", "/v1/http/runs"]) {
  const note = endpointNotes(prefix === "/v1/checkpoint" ? "Checkpoint" : "Endpoint");
  endpoint.post(prefix, described(note.begin), authenticate, database, async (context) => {
    const now = Date.now();
    const settings = context.get("settings");
    const { id: environmentId } = context.get("environment");
    const report = accepted(parseNewRun(await bodyOf(context), now));
    const { runId, request, retries, ops, thrown } = report;
    if (!isUlid(runId))
      throw new MillraceError("invalid_request", `"${runId}" is not the id of a run: it must be a ULID.`);
    const grant = { right: "subscribe", channel: runId, topics: [STREAM] } as const;
    const [result, realtime, known] = await Promise.all([
      outputToken(settings, environmentId, runId, now),
      realtimeToken(settings, environmentId, grant, now),
      endpointOf(environmentId, request),
    ]);
    const sdk = sourceOf(context.req.raw.headers);
    const identity = await endpointIdentity(environmentId, known, report, { sdk, lease: settings.endpointLease, now });
    await listEndpoint(context.env.DB, environmentId, known, request, { sdk, retries, now });
    const reported = { functionId: known.function.id, ops, thrown, identity };
    judge(await askRun(context.env, environmentId, runId, (run) => run.endpoint(reported)), runId);
    return reply(context, {
      fn_id: known.function.id,
      app_id: known.app.id,
      run_id: runId,
      ...(ops.length > 0 || thrown !== null ? { token: result } : {}),
      realtime_token: realtime,
    });
  });

  endpoint.post(`${prefix}/:runId/steps`, described(note.steps), authenticate, async (context) => {
    const runId = knownForm(context.req.param("runId"));
    const { functionId, ops, thrown } = accepted(parseSteps(runId, await bodyOf(context), Date.now()));
    const reported = { functionId, ops, thrown, identity: null };
    judge(await askRun(context.env, context.get("environment").id, runId, (run) => run.endpoint(reported)), runId);
    return reply(context, { run_id: runId });
  });

  // A redirected caller may have kept its method, whichever that was.
  endpoint.all(`${prefix}/:runId/output`, described(note.output), async (context) => {
    const runId = context.req.param("runId");
    const settings = context.get("settings");
    const token = context.req.query("token") ?? "";
    const environmentId = claimedEnvironment(token);
    await checkOutputToken(settings, environmentId, runId, token, Date.now());
    const result = await resultOf(context.env, environmentId, runId, settings.endpointWait);
    switch (result.state) {
      case "unknown":
        throw unknown(runId);
      case "running":
        return context.json({ data: { run_id: runId, status: "running" } }, 202);
      case "ended": {
        // The SDK's own proxy for results asks like this, and a redirected browser never does.
        const verbatim = context.req.method === "GET" && context.req.header("content-type") === "application/json";
        return httpResponse(responseOf(result, verbatim));
      }
    }
  });
}

async function bodyOf(context: Context<Api>): Promise<Json> {
  const json = parseJson(await readBody(context.req.raw, CALL.replyBytes));
  if (!json.ok) throw new MillraceError("body_invalid", `The checkpoint is not JSON: ${json.reason}.`);
  return json.value;
}

function accepted<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new MillraceError("invalid_request", parsed.message);
  return parsed;
}

function knownForm(runId: string): string {
  if (!isUlid(runId)) throw unknown(runId);
  return runId;
}

function unknown(runId: string): MillraceError {
  return new MillraceError("run_not_found", `No run has the id "${runId}".`);
}

function judge(reported: Reported, runId: string): void {
  switch (reported) {
    case "stored":
      return;
    case "unknown":
      throw unknown(runId);
    case "ended":
      throw new MillraceError("run_ended", `Run "${runId}" has ended.`);
    case "conflict":
      throw new MillraceError("conflict", `Run "${runId}" exists, and began with another request.`);
    case "superseded":
      throw new MillraceError(
        "conflict",
        `Run "${runId}" goes on without this handler, which was silent for too long.`,
      );
  }
}

/** Asks the run again when its object restarts meanwhile; throws what it throws when the time is over. */
async function resultOf(
  bindings: Bindings,
  environmentId: string,
  runId: string,
  patience: number,
): Promise<EndpointResult> {
  const until = Date.now() + patience;
  for (;;) {
    try {
      return await askRun(
        bindings,
        environmentId,
        runId,
        async (run) => await run.result(Math.max(0, until - Date.now())),
      );
    } catch (error) {
      if (Date.now() + ENDPOINT.pause > until) throw error;
      console.warn(`result of run ${runId}: ${messageOf(error)}`);
      await scheduler.wait(ENDPOINT.pause);
    }
  }
}
