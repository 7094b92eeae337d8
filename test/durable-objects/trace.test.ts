import { beforeAll, describe, expect, it } from "vitest";
import { storeEvents } from "../../src/history/events.ts";
import { runStatements } from "../../src/history/runs.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { countEvents, countRuns } from "../../src/history/totals.ts";
import { newUlid } from "../../src/ids.ts";
import { outputOf, traceOf } from "../../src/runs/trace.ts";
import { anEvent, aRun, bindings, freshEnvironment } from "./records.ts";

const db = bindings.DB;

beforeAll(() => ensureSchema(db));

describe("API-9: traces of runs that no object holds", () => {
  it("have the run alone, as history knows it; nobody's run has none", async () => {
    const environment = freshEnvironment();
    const skipped = aRun(environment, { status: "skipped", skipReason: "singleton" });
    await db.batch(runStatements(db, [skipped]));
    const trace = await traceOf(bindings, environment, skipped.runId);
    expect(trace?.spans).toMatchObject([{ kind: "root", status: "skipped", name: "shop-pay", output: null }]);
    expect(await traceOf(bindings, environment, newUlid(1))).toBeNull();
    expect(await traceOf(bindings, environment, "no id")).toBeNull();
    expect(await outputOf(bindings, environment, skipped.runId, "run")).toBeNull();
  });
});

describe("API-23: totals", () => {
  it("count what lists would show, in their own environment", async () => {
    const environment = freshEnvironment();
    const other = freshEnvironment();
    const events = [
      anEvent({ payload: { name: "a" } }),
      anEvent({ payload: { name: "b" } }),
      anEvent({ payload: { name: "inngest/function.finished" } }),
    ];
    await storeEvents(db, environment, events, { routed: true });
    await storeEvents(db, other, [anEvent({ payload: { name: "a" } })], { routed: true });
    const any = { name: null, receivedAfter: null, receivedBefore: null };
    expect(await countEvents(db, environment, [any])).toBe(2);
    expect(await countEvents(db, environment, [{ ...any, names: ["b", "c"] }])).toBe(1);
    expect(await countEvents(db, environment, [any, { ...any, names: ["inngest/function.finished"] }])).toBe(3);
    expect(await countEvents(db, environment, [{ ...any, receivedAfter: Date.now() + 1000 }])).toBe(0);

    const runs = [aRun(environment), aRun(environment, { status: "failed" }), aRun(other)];
    await db.batch(runStatements(db, runs));
    const filter = {
      statuses: [],
      appId: null,
      functionId: null,
      from: null,
      until: null,
      timeField: "queued_at",
    } as const;
    expect(await countRuns(db, environment, [filter])).toBe(2);
    expect(await countRuns(db, environment, [{ ...filter, statuses: ["failed"] }])).toBe(1);
    const { appId, functionId } = runs[0] ?? aRun(environment);
    expect(
      await countRuns(db, environment, [
        { ...filter, appId, functionId },
        { ...filter, functionId: "none" },
      ]),
    ).toBe(2);
    expect(await countRuns(db, environment, [{ ...filter, functionId: "none" }])).toBe(0);
  });
});
