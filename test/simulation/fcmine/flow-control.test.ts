import { expect, it, vi } from "vitest";
import { App } from "../app.ts";
import { play } from "./schedule.ts";
import { Capacity } from "../../../durable-objects/capacity.ts";
import { Run } from "../../../durable-objects/run.ts";
vi.mock("../../../src/calls/call.ts", () => ({
  callApp: (_bindings: unknown, state: never, job: never) => App.current?.call(state, job),
}));
const ONLY = process.env["SIMULATION_SEED"];
const N = Number(process.env["N"] ?? 400);
it("x", async () => {
  if (ONLY !== undefined) {
    const trace: string[] = [];
    const f = (x: { sequence: number; stamp: number }) => `${x.sequence}/${x.stamp % 1000000}`;
    const claim = Capacity.prototype.claim;
    Capacity.prototype.claim = async function (ref, c) {
      const r = await claim.call(this, ref, c);
      trace.push(`${Date.now() % 1000000} claim ${(this as never as {ctx:{id:{name:string}}}).ctx.id.name.slice(-30)} ${c.runId.slice(-4)} f${f(c.fence)} busy ${c.busy} wants ${c.wants} -> ${r.held} y${r.yields} heard ${f(r.heard)}`);
      return r;
    };
    const cap = Run.prototype.capacity;
    Run.prototype.capacity = function (line, held) {
      const r = cap.call(this, line, held);
      trace.push(`${Date.now() % 1000000} call ${line.scope}:${line.counts}:${line.key} ${(this as never as {ctx:{id:{name:string}}}).ctx.id.name.slice(-4)} held ${held.held} y${held.yields} heard ${f(held.heard)} -> ${r === null ? null : `f${f(r.fence)} busy ${r.busy} wants ${r.wants}`}`);
      return r;
    };
    const { faults, world } = await play(Number(ONLY));
    console.log(faults.join("\n"));
    console.log(world.log.join("\n"));
    console.log(trace.join("\n"));
    return;
  }
  const bad: string[] = [];
  for (let seed = 1; seed <= N; seed++) {
    const { faults } = await play(seed);
    if (faults.length > 0) bad.push(`${seed}: ${faults.slice(0, 2).join(" | ").slice(0, 200)}`);
  }
  console.log(bad.join("\n"), bad.length);
});
