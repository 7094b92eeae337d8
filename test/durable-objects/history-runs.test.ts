import { beforeAll, describe, expect, it } from "vitest";
import { findRun, type RunFilter, runStatements } from "../../src/history/runs.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { encodeUlid } from "../../src/ids.ts";
import type { Json } from "../../src/json.ts";
import { HISTORY } from "../../src/limits.ts";
import { listRuns } from "../../src/search/runs.ts";
import { aRun, bindings, freshEnvironment } from "./records.ts";

const db = bindings.DB;

describe("runs", () => {
  beforeAll(() => ensureSchema(db));

  it("API-10: runs are filtered by function, app, status and each of the three times", async () => {
    const environmentId = freshEnvironment();
    const idAt = (time: number) => ({ runId: encodeUlid(time, new Uint8Array(10)) });
    const paid = aRun(environmentId, { ...idAt(10), queuedAt: 10, startedAt: 20, endedAt: 30 });
    const failed = aRun(environmentId, {
      ...idAt(15),
      status: "failed",
      functionId: "other",
      queuedAt: 15,
      startedAt: 25,
      endedAt: 35,
    });
    const going = aRun(environmentId, {
      ...idAt(40),
      status: "running",
      appId: "third",
      queuedAt: 40,
      startedAt: 50,
      endedAt: null,
      output: null,
    });
    await db.batch(runStatements(db, [paid, failed, going, aRun(freshEnvironment())]));
    const none: RunFilter = {
      statuses: [],
      appId: null,
      functionId: null,
      from: null,
      until: null,
      timeField: "queued_at",
    };
    const list = async (filter: Partial<RunFilter>) =>
      (await listRuns(db, environmentId, { ...none, ...filter }, { limit: 20, cursor: null })).items;
    expect(await list({})).toEqual([going, failed, paid]);
    expect(await list({ functionId: "other" })).toEqual([failed]);
    expect(await list({ functionId: "other", statuses: ["completed"] })).toEqual([]);
    expect(await list({ appId: "third" })).toEqual([going]);
    expect(await list({ statuses: ["completed", "running"] })).toEqual([going, paid]);
    expect(await list({ from: 15, until: 40 })).toEqual([failed]);
    expect(await list({ timeField: "started_at", from: 25 })).toEqual([going, failed]);
    expect(await list({ timeField: "ended_at", until: 35 })).toEqual([paid]);
    const first = await listRuns(db, environmentId, none, { limit: 2, cursor: null });
    expect(first.items).toEqual([going, failed]);
    expect(await listRuns(db, environmentId, none, { limit: 2, cursor: first.nextCursor })).toMatchObject({
      items: [paid],
      nextCursor: null,
    });
  });

  it("I6: of two reports the newer wins, in whatever order they arrive", async () => {
    const environmentId = freshEnvironment();
    const base = aRun(environmentId, { status: "queued", startedAt: null, endedAt: null, output: null, sequence: 1 });
    const going = { ...base, status: "running", startedAt: 5, sequence: 2 } as const;
    const ended = { ...going, status: "failed", endedAt: 9, output: { message: "no" }, sequence: 7 } as const;
    const orders = [
      [base, going, ended],
      [ended, going, base],
      [going, ended, base, going],
      [ended, ended],
    ];
    for (const [i, order] of orders.entries()) {
      const runId = encodeUlid(i, new Uint8Array(10));
      for (const row of order) await db.batch(runStatements(db, [{ ...row, runId }]));
      expect(await findRun(db, environmentId, runId)).toEqual({ ...ended, runId });
      const together = encodeUlid(i, new Uint8Array(10).fill(1));
      await db.batch(
        runStatements(
          db,
          order.map((row) => ({ ...row, runId: together })),
        ),
      );
      expect(await findRun(db, environmentId, together)).toEqual({ ...ended, runId: together });
    }
  });

  it("I6: a run's own report corrects the entry that its event left when it was sent again and skipped", async () => {
    const environmentId = freshEnvironment();
    const own = aRun(environmentId, { sequence: 2, queuedAt: 10, eventIds: ["first"] });
    const entry = { ...own, status: "skipped", sequence: 0, queuedAt: 20, eventIds: ["second"] } as const;
    await db.batch(runStatements(db, [{ ...entry, skipReason: "function_paused" }]));
    await db.batch(runStatements(db, [own]));
    expect(await findRun(db, environmentId, own.runId)).toEqual(own);
  });

  it("a run that returned null is told from one that is unfinished", async () => {
    const environmentId = freshEnvironment();
    const [returned, going] = [
      aRun(environmentId, { output: null }),
      aRun(environmentId, { status: "running", output: null }),
    ];
    await db.batch(runStatements(db, [returned, going]));
    const { results } = await db
      .prepare("SELECT output FROM runs WHERE environment_id = ?1 ORDER BY run_id")
      .bind(environmentId)
      .all();
    expect(results).toEqual([{ output: "null" }, { output: null }]);
    expect(await findRun(db, environmentId, returned.runId)).toEqual(returned);
  });

  it.each<[string, Json, boolean]>([
    ["nested deeper than SQLite's JSON allows", nested(5000), true],
    ["of control characters and half surrogates", "\u0000\u001f\ud83d", true],
    ["larger than a row, which only the object keeps", "x".repeat(HISTORY.rowBytes), false],
  ])("an output %s harms nobody", async (_, output, kept) => {
    const environmentId = freshEnvironment();
    const [odd, plain] = [aRun(environmentId, { output }), aRun(environmentId)];
    await db.batch(runStatements(db, [odd, plain]));
    const found = await findRun(db, environmentId, odd.runId);
    expect(JSON.stringify(found?.output)).toBe(JSON.stringify(kept ? output : null));
    expect(await findRun(db, environmentId, plain.runId)).toEqual(plain);
  });
});

function nested(depth: number): Json {
  let value: Json = [];
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}
