import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Batch,
  type BatchCandidate,
  type BatchOptions,
  batchClosesAt,
  inOrderOfReceipt,
  joinBatch,
} from "../../../../src/decide/window/batch.ts";
import { WINDOW } from "../../../../src/limits.ts";

const T = 1_700_000_000_000;
const KIB = 1024;
const options: BatchOptions = { version: 1, maxSize: 100, timeout: 5000 };
const unknown = () => null;

/** `count` small events received at T. */
function events(count: number, bytes = 200, first = 0): BatchCandidate[] {
  return Array.from({ length: count }, (_, i) => ({ id: `e${first + i}`, receivedAt: T, bytes }));
}

/** The batch that takes events after the call. */
function openAfter(open: Batch | null, candidates: readonly BatchCandidate[], given = options, now = T): Batch | null {
  const last = joinBatch(open, candidates, { options: given, placeOf: unknown, now }).changed.at(-1);
  return last === undefined ? open : last.closed ? null : last.batch;
}

describe("joinBatch", () => {
  it("FC-32: 250 events at once are two full batches and an open one of 50, each in order", () => {
    const { changed, places } = joinBatch(null, events(250), { options, placeOf: unknown, now: T });
    expect(changed.map(({ batch, opened, closed }) => [batch.opener, batch.count, opened, closed])).toEqual([
      ["e0", 100, true, true],
      ["e100", 100, true, true],
      ["e200", 50, true, false],
    ]);
    expect(changed.flatMap(({ added }) => added)).toEqual(Array.from({ length: 250 }, (_, i) => i));
    expect([places[0], places[99], places[100], places[249]]).toEqual(["e0", "e0", "e100", "e200"]);
  });

  it("FC-32: the time-out counts from the first event", () => {
    const first = openAfter(null, events(1));
    const second = openAfter(first, events(1, 200, 1), options, T + 4999);
    expect(second).toMatchObject({ opener: "e0", count: 2 });
    expect(second === null ? null : batchClosesAt(second)).toBe(T + 5000);
  });

  it("FC-32: an event that comes when the time is over opens the next batch, even if nobody has closed the old one", () => {
    const { changed } = joinBatch(openAfter(null, events(3)), events(1, 200, 3), {
      options,
      placeOf: unknown,
      now: T + 5000,
    });
    expect(changed.map(({ batch, closed, added }) => [batch.opener, closed, added])).toEqual([
      ["e0", true, []],
      ["e3", false, [0]],
    ]);
  });

  it("FC-33: the event that would take a batch over 10 MiB opens the next one", () => {
    const { changed } = joinBatch(null, events(12, 900 * KIB), { options, placeOf: unknown, now: T });
    expect(changed.map(({ batch, closed }) => [batch.count, closed])).toEqual([
      [11, true],
      [1, false],
    ]);
    const exact = joinBatch(null, events(10, WINDOW.batchBytes / 10), { options, placeOf: unknown, now: T });
    expect(exact.changed.map(({ batch, closed }) => [batch.count, closed])).toEqual([[10, false]]);
  });

  it("FC-36: an event of a repeated send stays where it is", () => {
    const placeOf = (id: string) => (["e0", "e1"].includes(id) ? "e0" : null);
    const { changed, places } = joinBatch(null, events(3), { options, placeOf, now: T });
    expect(places).toEqual(["e0", "e0", "e2"]);
    expect(changed.map(({ added }) => added)).toEqual([[2]]);
    const twice = joinBatch(null, [...events(1), ...events(1)], { options, placeOf: unknown, now: T });
    expect(twice.places).toEqual(["e0", "e0"]);
    expect(twice.changed).toMatchObject([{ batch: { count: 1 }, added: [0] }]);
  });

  it("the newest registration counts, also for a batch that is open", () => {
    const open = openAfter(null, events(5));
    const shorter = openAfter(open, events(1, 200, 5), { version: 2, maxSize: 50, timeout: 1000 }, T + 10);
    expect(shorter === null ? null : batchClosesAt(shorter)).toBe(T + 1000);
    const older = openAfter(shorter, events(1, 200, 6), options, T + 20);
    expect(older).toMatchObject({ count: 7, options: { version: 2 } });
    const smaller = { version: 3, maxSize: 3, timeout: 1000 };
    const { changed } = joinBatch(older, events(1, 200, 7), { options: smaller, placeOf: unknown, now: T + 30 });
    expect(changed.map(({ batch, closed }) => [batch.count, closed])).toEqual([
      [7, true],
      [1, false],
    ]);
  });

  it("EV-10: the window counts from the receive time, never from the future, and not from long ago", () => {
    const openedAt = (receivedAt: number) => openAfter(null, [{ id: "e", receivedAt, bytes: 1 }], options, T)?.openedAt;
    expect(openedAt(T - 300)).toBe(T - 300);
    expect(openedAt(T + 60_000)).toBe(T);
    expect(openedAt(T - 60_000)).toBe(T - 2500);
  });
});

it("FC-32: events in order of receipt, those of one send by their ids", () => {
  const mixed = [
    { internalId: "b2", receivedAt: 2 },
    { internalId: "a9", receivedAt: 3 },
    { internalId: "b1", receivedAt: 2 },
  ];
  expect(inOrderOfReceipt(mixed).map(({ internalId }) => internalId)).toEqual(["b1", "b2", "a9"]);
});

/** The obvious batches: a list of lists, searched from end to end. */
class Model {
  readonly batches: { ids: string[]; bytes: number; at: number; open: boolean }[] = [];

  join(candidates: readonly BatchCandidate[], { maxSize, timeout }: BatchOptions, now: number): string[] {
    return candidates.map(({ id, bytes }) => {
      const known = this.batches.find(({ ids }) => ids.includes(id));
      if (known !== undefined) return known.ids[0] ?? "";
      const last = this.batches.at(-1);
      if (last?.open && (now >= last.at + timeout || last.bytes + bytes > WINDOW.batchBytes)) last.open = false;
      if (!last?.open) this.batches.push({ ids: [], bytes: 0, at: now, open: true });
      const batch = this.batches.at(-1);
      if (batch === undefined) throw new Error("there is a batch by now");
      batch.ids.push(id);
      batch.bytes += bytes;
      batch.open = batch.ids.length < maxSize;
      return batch.ids[0] ?? "";
    });
  }

  tick(timeout: number, now: number): void {
    const last = this.batches.at(-1);
    if (last !== undefined && now >= last.at + timeout) last.open = false;
  }
}

const call = fc.record({
  ids: fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 12 }),
  bytes: fc.constantFrom(100, 900 * KIB, 3 * 1024 * KIB),
  wait: fc.integer({ min: 0, max: 3000 }),
  alarm: fc.boolean(),
});

it("FC-32, FC-33, FC-36: does what lists would do, whatever comes", () => {
  fc.assert(
    fc.property(fc.array(call, { maxLength: 40 }), fc.integer({ min: 2, max: 9 }), (calls, maxSize) => {
      const given = { version: 1, maxSize, timeout: 4000 };
      const model = new Model();
      const members = new Map<string, string[]>();
      const closed = new Set<string>();
      let open: Batch | null = null;
      let now = T;
      for (const { ids, bytes, wait, alarm } of calls) {
        now += wait;
        if (alarm) {
          model.tick(given.timeout, now);
          if (open !== null && now >= batchClosesAt(open)) {
            closed.add(open.opener);
            open = null;
          }
        }
        const candidates = ids.map((n) => ({ id: `e${n}`, receivedAt: now, bytes }));
        const placeOf = (id: string) => [...members].find(([, all]) => all.includes(id))?.[0] ?? null;
        const { changed, places } = joinBatch(open, candidates, { options: given, placeOf, now });
        for (const { batch, opened, closed: full, added } of changed) {
          expect(opened).toBe(!members.has(batch.opener));
          const all = [...(members.get(batch.opener) ?? []), ...added.map((at) => candidates[at]?.id ?? "")];
          members.set(batch.opener, all);
          expect(batch.count).toBe(all.length);
          expect(closed.has(batch.opener)).toBe(false);
          if (full) closed.add(batch.opener);
          open = full ? null : batch;
        }
        expect(places).toEqual(model.join(candidates, given, now));
      }
      expect([...members.values()]).toEqual(model.batches.map(({ ids }) => ids));
      for (const { ids, bytes } of model.batches) {
        expect(ids.length).toBeLessThanOrEqual(maxSize);
        expect(bytes).toBeLessThanOrEqual(WINDOW.batchBytes);
      }
    }),
  );
});
