import { createExecutionContext, createMessageBatch, evictDurableObject, getQueueResult } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { LOCAL } from "../../../src/environments/environment.ts";
import { chunksOf } from "../../../src/events/chunk.ts";
import { consumeFanout, type FanoutMessage } from "../../../src/events/fanout.ts";
import { consumeHistory } from "../../../src/history/consume.ts";
import { eventStatements } from "../../../src/history/events.ts";
import type { HistoryMessage } from "../../../src/history/message.ts";
import { findRun } from "../../../src/history/runs.ts";
import { runStub, waitsStub } from "../../../src/objects.ts";
import { anEvent, aReport, bindings } from "../records.ts";
import { begin, fireAll, judge, type Life, live, prepare } from "./scenario.ts";

const TIMEOUT = 60_000;
const db = bindings.DB;

beforeAll(prepare);
beforeEach(() => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() }));
afterEach(() => vi.useRealTimers());

/** Plays a batch several times, side by side and once more after that. */
async function deliver<Body>(
  queue: string,
  bodies: readonly Body[],
  consume: (batch: MessageBatch<Body>) => Promise<void>,
  times: number,
): Promise<void> {
  const once = async (copy: number) => {
    const messages = bodies.map((body, n) => ({ id: `${copy}-${n}`, timestamp: new Date(), attempts: 1, body }));
    const batch = createMessageBatch<Body>(queue, messages);
    await consume(batch);
    await getQueueResult(batch, createExecutionContext());
  };
  await Promise.all(Array.from({ length: times - 1 }, (_, copy) => once(copy)));
  await once(times);
}

/** Evicts the runs of a life, and the object they wait at, as far as nothing uses them at the moment: as the platform does. How many it were. */
async function evict({ parents, children }: Life): Promise<number> {
  const runs = [...parents, ...children].map((runId) => runStub(bindings, LOCAL.id, runId));
  const stubs = [...runs, waitsStub(bindings, LOCAL.id, "event", "life/go")];
  const gone = stubs.map((stub) =>
    // One that is in use is waited for, and half a minute later that is an error.
    evictDurableObject(stub).then(
      () => 1,
      () => 0,
    ),
  );
  const given = scheduler.wait(200).then(() => 0);
  const evicted = await Promise.all(gone.map((one) => Promise.race([one, given])));
  return evicted.reduce<number>((sum, one) => sum + one, 0);
}

describe("row 3: eviction in the middle of a run", { timeout: TIMEOUT }, () => {
  it("I4, I6: after every second look at the run", async () => {
    let [looks, evictions] = [0, 0];
    const life = await begin();
    await live(life, async () => {
      if (++looks % 2 === 0) evictions += await evict(life);
    });
    await judge(life);
    expect(evictions).toBeGreaterThan(0);
  });
});

describe("row 7: alarms that fire early, late, and again and again", { timeout: TIMEOUT }, () => {
  it("I2, I7: change nothing that was done, and nothing is done before its time", async () => {
    const life = await begin();
    await live(life, async () => {
      await fireAll();
      await fireAll();
    });
    await judge(life);
    expect(life.bodies.map(({ step }) => step)).toEqual(["a", "b", "x", "c"]);
  });
});

describe("row 4: queue messages delivered again, also side by side", { timeout: TIMEOUT }, () => {
  for (const times of [2, 5]) {
    it(`I1, I2: a chunk of a large send, ${times} times: one run per event`, async () => {
      const events = Array.from({ length: 6 }, (_, n) =>
        anEvent({ payload: { name: "life/begin", data: { key: `queue-${times}-${n}`, parent: true } } }),
      );
      await db.batch(
        eventStatements(
          db,
          events.map((stored) => ({ environmentId: LOCAL.id, stored, routed: false })),
        ),
      );
      const [chunk] = await chunksOf(events.map(({ event }) => event.internalId));
      if (chunk === undefined) throw new Error("There is no chunk");
      const body: FanoutMessage = { environmentId: LOCAL.id, chunkId: chunk.id, eventIds: chunk.eventIds };
      await deliver("millrace-fanout", [body], (batch) => consumeFanout(batch, bindings), times);
      const runs = await vi.waitFor(async () => {
        const { results } = await db
          .prepare("SELECT outcomes FROM events WHERE internal_id IN (SELECT value FROM json_each(?1)) AND routed = 1")
          .bind(JSON.stringify(chunk.eventIds))
          .all<{ outcomes: string }>();
        expect(results).toHaveLength(events.length);
        return results.flatMap(({ outcomes }) => JSON.parse(outcomes) as { runId: string }[]);
      }, 20_000);
      expect(new Set(runs.map(({ runId }) => runId)).size).toBe(events.length);
      expect(runs).toHaveLength(events.length);
    });

    it(`I6: reports of a run in any order, ${times} times: the newest row stays`, async () => {
      const { run, events } = aReport(LOCAL.id);
      const early = { ...run, status: "running" as const, endedAt: null, output: null, sequence: 1 };
      const bodies: HistoryMessage[] = [
        { kind: "report", report: { run, events } },
        { kind: "report", report: { run: early, events: [] } },
      ];
      await deliver("millrace-history", bodies, (batch) => consumeHistory(batch, bindings), times);
      expect(await findRun(db, LOCAL.id, run.runId)).toMatchObject({ status: "completed", sequence: run.sequence });
    });
  }
});

describe("row 25: history that was lost", { timeout: TIMEOUT }, () => {
  it("I6: a run that goes on is there again with its end, its events too", async () => {
    const life = await begin();
    let lost = false;
    await live(life, async () => {
      if (lost || !life.bodies.some(({ step }) => step === "b")) return;
      lost = true;
      await db.batch([db.prepare("DELETE FROM runs"), db.prepare("DELETE FROM events")]);
    });
    expect(lost).toBe(true);
    await judge(life);
    const [runId = ""] = life.parents;
    const row = await findRun(db, LOCAL.id, runId);
    const event = await db
      .prepare("SELECT name FROM events WHERE internal_id = ?1")
      .bind(row?.eventIds[0] ?? "")
      .first();
    expect(event).toEqual({ name: "life/begin" });
  });
});
