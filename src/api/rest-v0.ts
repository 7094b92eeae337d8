/**
 * REST v0: what SDKs fetch when a run's state did not fit into a call, and cancelling as older tools do (protocol/11 §11.2, EX-16).
 * Replies are bare JSON, no envelope.
 * State lives in the run's object only, so it is gone, 410, once the object is, even while history still lists the run.
 */
import { Hono } from "hono";
import type { Bindings } from "../bindings.ts";
import { MillraceError } from "../errors.ts";
import { findRun } from "../history/runs.ts";
import { isUlid } from "../ids.ts";
import { askRun } from "../runs/ask.ts";
import { cancelRun } from "../runs/cancel.ts";
import type { Api } from "./api.ts";
import { authenticate } from "./authentication.ts";
import { database } from "./database.ts";

/** The routes below `/v0`. */
export const restV0 = new Hono<Api>();

restV0.get("/v0/runs/:id/batch", authenticate, database, async (context) => {
  const [environmentId, runId] = [context.get("environment").id, runIdOf(context.req.param("id"))];
  const events = await askRun(context.env, environmentId, runId, (run) => run.events());
  return events === null ? await refuse(context.env, environmentId, runId) : context.json(events);
});

restV0.get("/v0/runs/:id/actions", authenticate, database, async (context) => {
  const [environmentId, runId] = [context.get("environment").id, runIdOf(context.req.param("id"))];
  const actions = await askRun(context.env, environmentId, runId, (run) => run.actions());
  return actions === null ? await refuse(context.env, environmentId, runId) : context.json(actions);
});

restV0.delete("/v0/runs/:id", authenticate, database, async (context) => {
  await cancelRun(context.env, context.get("environment").id, runIdOf(context.req.param("id")), { by: "api" });
  return context.body(null, 200);
});

// SDKs may report usage here; nothing is kept, so nobody need be known.
restV0.post("/v0/telemetry", (context) => context.body(null, 200));

function runIdOf(id: string): string {
  if (isUlid(id)) return id;
  throw new MillraceError("invalid_request", `"${id}" is not the id of a run.`);
}

async function refuse(bindings: Bindings, environmentId: string, runId: string): Promise<never> {
  if ((await findRun(bindings.DB, environmentId, runId)) === null) {
    throw new MillraceError("run_not_found", `No run has the id "${runId}".`);
  }
  throw new MillraceError("run_deleted", `The state of run "${runId}" was deleted after its retention.`);
}
