/**
 * What test suites may change and ask (DEV-19, protocol/12 §12.2): limits of single functions in dev mode, and below `/test`, where the
 * variable TEST_MODE is set as well, pausing, cancelling, counting and starting over. Guarantees that a cloud deployment has none of it.
 */
import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { currentCatalog } from "../apps/catalog.ts";
import type { RegisteredFunction } from "../apps/function.ts";
import { pauseFunction } from "../apps/pauses.ts";
import { environmentOf } from "../environments/environment.ts";
import { MillraceError } from "../errors.ts";
import { countUnfinished } from "../history/unfinished.ts";
import { cancelRun } from "../runs/cancel.ts";
import { startOver } from "../runs/start-over.ts";
import { setTestLimit, type TestLimits } from "../runs/test-limits.ts";
import type { Api } from "./api.ts";
import { database } from "./database.ts";
import { formOf, queryOf } from "./form.ts";

/** The routes. */
export const testHooks = new Hono<Api>();

/** Lets requests pass in dev mode only, and says nothing of the route otherwise. */
const devOnly = createMiddleware<Api>(async (context, next) => {
  const settings = context.get("settings");
  if (settings.mode !== "dev") throw new MillraceError("not_found", `No route ${context.req.path}`);
  context.set("environment", environmentOf(settings));
  await next();
});

const LIMITS: readonly (readonly [string, keyof TestLimits])[] = [
  ["/fn/step-limit", "maxSteps"],
  ["/fn/state-size-limit", "stateBytes"],
];

for (const [path, limit] of LIMITS) {
  testHooks.post(path, devOnly, database, async (context) => {
    const { functionId, limit: given } = await formOf(context, "functionId", "limit");
    if (!/^\d{1,12}$/.test(given)) throw new MillraceError("invalid_request", "limit must be a whole number.");
    const { id } = await functionNamed(context, functionId);
    setTestLimit(context.get("environment").id, id, limit, Number(given));
    return context.json({ ok: true });
  });

  testHooks.delete(path, devOnly, database, async (context) => {
    const { functionId } = await formOf(context, "functionId");
    const { id } = await functionNamed(context, functionId);
    setTestLimit(context.get("environment").id, id, limit, null);
    return context.json({ ok: true });
  });
}

const inTestMode = createMiddleware<Api>(async (context, next) => {
  if (!context.get("settings").testMode) throw new MillraceError("not_found", `No route ${context.req.path}`);
  await next();
});

testHooks.use("/test", devOnly, inTestMode, database);
testHooks.use("/test/*", devOnly, inTestMode, database);

testHooks.get("/test", (context) => context.json({ ok: true }));

testHooks.post("/test/function/pause", async (context) => {
  const { fnId } = await formOf(context, "fnId");
  const { id } = await functionNamed(context, fnId);
  await pauseFunction(context.env, context.get("environment").id, id, { running: "hold", now: Date.now() });
  return context.json({ ok: true });
});

testHooks.post("/test/function/runs/cancel", async (context) => {
  const { runId } = await formOf(context, "runId");
  await cancelRun(context.env, context.get("environment").id, runId, { by: "api" });
  return context.json({ ok: true });
});

// As history knows them, which lags by a second or two.
testHooks.get("/test/queue/function-queue-size", async (context) => {
  const { fnId } = queryOf(context, "fnId");
  const { id } = await functionNamed(context, fnId);
  return context.json({ count: await countUnfinished(context.env.DB, context.get("environment").id, id) });
});

testHooks.post("/test/reset", async (context) => {
  await startOver(context.env, context.get("environment").id);
  return context.json({ ok: true });
});

async function functionNamed(context: Context<Api>, named: string): Promise<RegisteredFunction> {
  const catalog = await currentCatalog(context.env, context.get("environment").id, Date.now());
  const registered = catalog.functionNamed(named);
  if (registered === null) throw new MillraceError("function_not_found", `No function has the slug or id "${named}".`);
  return registered;
}
