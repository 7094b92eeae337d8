/**
 * Rows 11 and 12 of the fault matrix, and what of row 15 needs a deadline: apps that are slow, silent, away, or late. One engine whose
 * deadlines are short.
 */
import { expect, it } from "vitest";
import { startScriptedApp } from "../../conformance/harness/scripted-app.ts";
import { jobsOf, type Seen } from "../../conformance/wire/case.ts";
import { done, progress, run } from "../../conformance/wire/ops.ts";
import { lateTests, TOO_LATE } from "./late.ts";
import { DEADLINE, SLOW } from "./slow.ts";
import { ENDLESS_CONTINUE } from "./statuses.ts";
import { hostile, hostileTable } from "./table.ts";

const cases = [...SLOW, ...hostile(ENDLESS_CONTINUE, "short"), ...TOO_LATE];

hostileTable("hostile networks", cases, {
  bindings: {
    MILLRACE_CALL_TIMEOUT: `${DEADLINE.call}ms`,
    MILLRACE_CALL_SILENCE: `${DEADLINE.silence}ms`,
  },
  also: (world) => {
    lateTests(world);
    it.concurrent("row 11: an app that refuses connections in the middle of a run is called again until it is back (EX-24)", () =>
      refusedThenBack(world()));
  },
});

async function refusedThenBack({ engine }: Pick<Seen, "engine">): Promise<void> {
  const app = await startScriptedApp();
  try {
    const script = [progress(run("a")), done("back")];
    const registered = await app.register(engine, "away", [
      { id: "f", event: "away/go", script: (call) => script[call.body.ctx.stack.stack.length] ?? done() },
    ]);
    expect(registered.json, registered.text).toMatchObject({ ok: true });
    await app.down();
    const [id = ""] = await engine.send({ name: "away/go" });
    const runId = await engine.until(async () => (await engine.runsOf(id))[0]?.run_id);
    await engine.until(async () => (await jobsOf(engine, runId)).some((job) => job.attempt >= 2));
    await app.up();
    expect(await engine.ended(id)).toMatchObject([{ status: "Completed", output: "back" }]);
    const [first, second] = app.calls;
    expect(first?.body.ctx.attempt).toBeGreaterThanOrEqual(2);
    expect(second?.body.ctx).toMatchObject({ attempt: 0, stack: { stack: ["a"] } });
  } finally {
    await app.stop();
  }
}
