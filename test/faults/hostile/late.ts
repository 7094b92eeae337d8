/**
 * Row 12: what apps say too late: after the deadline, after the retry, after a cancellation, after the end of the run
 * (EX-4, EX-11, EX-17, EX-66, CR-1). Owns the gates that hold replies back until the test lets them go.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import * as z from "zod";
import type { AppCall, Reply, ScriptedFunction } from "../../conformance/harness/scripted-app.ts";
import type { Seen, WireCase } from "../../conformance/wire/case.ts";
import { complete, done, planned, progress, run } from "../../conformance/wire/ops.ts";
import { DEADLINE } from "./slow.ts";

type World = () => Pick<Seen, "engine" | "app">;

/** Replies after the deadline, which the engine no longer listens to. */
export const TOO_LATE: readonly WireCase[] = [
  {
    id: "after-the-retry",
    proves: "row 12: a reply after the deadline, when the retry has succeeded, changes nothing (EX-11, EX-17)",
    script: (call) => {
      const { attempt, stack } = call.body.ctx;
      if (stack.stack.length > 0) return { ...done(call.body.steps), delayMs: 1_500 };
      return attempt > 0
        ? progress(run("a", "in time"))
        : { ...progress(run("a", "late")), delayMs: DEADLINE.call + 1_500 };
    },
    output: { a: { data: "in time" } },
  },
  {
    id: "after-the-end",
    proves: "row 12: a reply after the run has failed of its deadline changes nothing (EX-11)",
    retries: 0,
    script: [{ ...done("late"), delayMs: DEADLINE.call + 500 }],
    status: "Failed",
    error: { code: "call_timeout" },
    calls: [{ attempt: 0 }],
    check: async ({ engine, run: ended }) => {
      await sleep(1_000);
      expect(await engine.run(ended.run_id)).toEqual(ended);
    },
  },
];

/** A reply that is held until the test lets it go. */
function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((done) => {
    open = done;
  });
  let reach: (call: AppCall) => void = () => undefined;
  const reached = new Promise<AppCall>((done) => {
    reach = done;
  });
  const hold = async (call: AppCall, reply: Reply): Promise<Reply> => {
    reach(call);
    await opened;
    return reply;
  };
  return { open, reached, hold };
}

/** Starts the one function of an app of its own; answers its run's id, its calls and its event. */
async function begun(world: World, name: string, fn: Omit<ScriptedFunction, "id" | "event">) {
  const { engine, app } = world();
  const registered = await app.register(engine, name, [{ ...fn, id: "f", event: `${name}/go` }]);
  expect(registered.json, registered.text).toMatchObject({ ok: true });
  const [eventId = ""] = await engine.send({ name: `${name}/go` });
  const slug = `${name}-f`;
  const runId = await engine.until(() => app.callsOf(slug)[0]?.runId);
  return { engine, eventId, runId, calls: () => app.callsOf(slug, runId) };
}

/** Replies of this isolate that came too late to count (EX-11). */
async function discarded(engine: Seen["engine"]): Promise<number> {
  const { json } = await engine.api("GET", "/dev/counts");
  return z.object({ discardedReplies: z.number() }).parse(json).discardedReplies;
}

/** What an SDK reports in the middle of the call it was given. */
function checkpoint(engine: Seen["engine"], { body, runId }: AppCall, steps: readonly object[]) {
  const { fn_id, qi_id, generation_id } = body.ctx;
  return engine.api("POST", `/v1/checkpoint/${runId}/async`, { run_id: runId, fn_id, qi_id, generation_id, steps });
}

/** The run's results. In dev mode an object that leaves memory after its run may lose the request, which is then made again. */
const memos = (engine: Seen["engine"], runId: string): Promise<unknown> =>
  engine.until(async () => {
    const { status, json } = await engine.api("GET", `/v0/runs/${runId}/actions`);
    return status === 200 ? json : null;
  });

/** Declares the tests in which a reply still arrives, and does not count. */
export function lateTests(world: World): void {
  it.concurrent("row 12: a reply that arrives after its run was cancelled is discarded and counted (EX-11, CR-1)", async () => {
    const held = gate();
    const script = (call: AppCall) => held.hold(call, progress(run("a", "too late"), planned("b")));
    const { engine, runId, calls } = await begun(world, "late-cancel", { script });
    await held.reached;
    const before = await discarded(engine);
    expect((await engine.api("DELETE", `/v1/runs/${runId}`)).status).toBeLessThan(300);
    held.open();
    const ended = await engine.until(async () => {
      const now = await engine.run(runId);
      return now.status === "Cancelled" ? now : null;
    });
    expect(await discarded(engine)).toBeGreaterThan(before);
    expect(await memos(engine, runId)).toEqual({});
    await sleep(300);
    expect(await engine.run(runId)).toEqual(ended);
    expect(calls()).toHaveLength(1);
  });

  it.concurrent("row 12: a reply that arrives after another branch ended the run is discarded and counted (EX-11, EX-34)", async () => {
    const held = gate();
    const script = (call: AppCall) => {
      if (call.stepId === "slow") return held.hold(call, progress(run("slow", "too late")));
      return call.stepId === "fast" ? progress(complete("the winner")) : progress(planned("slow"), planned("fast"));
    };
    const { engine, eventId, runId } = await begun(world, "late-branch", { script });
    await held.reached;
    const [ended] = await engine.ended(eventId);
    expect(ended).toMatchObject({ status: "Completed", output: "the winner" });
    const before = await discarded(engine);
    held.open();
    await engine.until(async () => (await discarded(engine)) > before);
    expect(await engine.run(runId)).toMatchObject({ ...ended });
  });

  it.concurrent("row 12: checkpoints of a call that has lost its place are refused, whatever they bring (EX-11, EX-66)", async () => {
    const held = gate();
    const script = (call: AppCall): Reply | Promise<Reply> => {
      const { attempt, stack } = call.body.ctx;
      if (stack.stack.length > 0) return done(call.body.steps);
      return attempt > 0 ? held.hold(call, progress(run("a", "counts"))) : { never: true };
    };
    const { engine, eventId, calls } = await begun(world, "late-checkpoint", { script });
    await held.reached;
    // The same job has another call in flight by now.
    const [lost] = calls();
    if (lost === undefined) throw new Error("A call was expected.");
    const late = [run("a", "late"), run("x", "late"), complete("late")];
    expect(await checkpoint(engine, lost, late)).toMatchObject({ status: 409 });
    held.open();
    const [ended] = await engine.ended(eventId);
    expect(ended).toMatchObject({ status: "Completed", output: { a: { data: "counts" } } });
    for (const call of calls()) expect(await checkpoint(engine, call, late)).toMatchObject({ status: 409 });
    expect(await engine.run(lost.runId)).toMatchObject({ ...ended });
  });

  it.concurrent("row 12: a checkpoint after the cancellation is refused (EX-67)", async () => {
    const held = gate();
    const { engine, runId } = await begun(world, "late-told", { script: (call) => held.hold(call, done("late")) });
    const call = await held.reached;
    expect((await checkpoint(engine, call, [run("a", "in time")])).status).toBe(200);
    await engine.api("DELETE", `/v1/runs/${runId}`);
    expect((await checkpoint(engine, call, [run("b", "late")])).status).toBe(409);
    held.open();
    await engine.until(async () => (await engine.run(runId)).status === "Cancelled");
    expect(await memos(engine, runId)).toEqual({ a: { data: "in time" } });
  });
}
