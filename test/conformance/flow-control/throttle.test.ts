/**
 * Throttled starts through both SDKs (FC-15 … FC-18, SC-111, SC-112).
 */
import { expect } from "vitest";
import { type Case, conformance } from "../harness/cases.ts";

/** ms that a start may be late on a busy machine, and by which the next one seems early when the first was late. */
const LATE = 5000;
const EARLY = 1000;

/** The starts came so many ms after the first. They are seen when the calls arrive; to the ms they are judged elsewhere. */
function expectSpread(starts: readonly { readonly at: number }[], gaps: readonly number[]): void {
  const first = starts[0]?.at ?? 0;
  expect(starts).toHaveLength(gaps.length);
  for (const [index, { at }] of starts.entries()) {
    const due = gaps[index] ?? Number.NaN;
    expect(at - first).toBeGreaterThan(due - EARLY);
    expect(at - first).toBeLessThan(due + LATE);
  }
}

const cases: readonly Case[] = [
  {
    id: "SC-111",
    title: "Starts are spread over time per key, in order, and none is lost",
    proves: ["FC-15", "FC-16"],
    async run({ app, fn, on, send, finished, mark, marks, names }) {
      const options = { id: "thr", throttle: { limit: 1, period: "3s", key: "event.data.user" } };
      await app([
        fn<{ user: number; n: number }>(options, on("x"), ({ event }) =>
          mark(`thr:${event.data.user}:${event.data.n}`),
        ),
      ]);
      const ids = await send([1, 1, 1, 2].map((user, n) => ({ name: on("x"), data: { user, n } })));
      const runs = await Promise.all(ids.map(finished));
      expect(runs.map(({ status }) => status)).toEqual(["Completed", "Completed", "Completed", "Completed"]);
      expectSpread(marks("thr:1:"), [0, 3000, 6000]);
      expect(names("thr:1:")).toEqual([0, 1, 2].map((n) => `thr:1:${n}`));
      expectSpread([marks("thr:1:")[0] ?? { at: Number.NaN }, ...marks("thr:2:")], [0, 0]);
    },
  },
  {
    id: "SC-112",
    title: "A burst starts at once; who waits too long is cancelled",
    proves: ["FC-16", "FC-18", "CR-5"],
    async run({ app, fn, on, send, trigger, finished, mark, marks, engine, until }) {
      await app([
        fn({ id: "burst", throttle: { limit: 1, period: "4s", burst: 2 } }, on("burst"), () => mark("burst")),
        fn(
          { id: "bounded", throttle: { limit: 1, period: "30s" }, timeouts: { start: "3s" } },
          on("bounded"),
          () => "ran",
        ),
      ]);
      await send(Array.from({ length: 4 }, () => ({ name: on("burst") })));
      const first = await trigger(on("bounded"));
      expect(await finished(first)).toMatchObject({ status: "Completed", output: "ran" });
      const sent = Date.now();
      const late = await trigger(on("bounded"));
      await until(async () => (await engine.runsOf(late))[0]?.status === "Scheduled");
      const run = await finished(late);
      expect(run.status).toBe("Cancelled");
      expect(Date.parse(run.ended_at ?? "") - sent).toBeGreaterThan(3000 - EARLY);
      expect(Date.parse(run.ended_at ?? "") - sent).toBeLessThan(3000 + LATE);
      await until(() => marks("burst").length === 4);
      expectSpread(marks("burst"), [0, 0, 4000, 8000]);
    },
  },
  {
    id: "FC-17",
    title: "A throttle is its function's own, and holds back no step",
    proves: ["FC-17"],
    async run({ app, fn, on, trigger, ended, mark, marks }) {
      const throttle = { limit: 1, period: "60s", key: `"same"` };
      const make = (id: string) =>
        fn({ id, throttle }, on("x"), async ({ step }) => {
          for (const name of ["a", "b", "c"]) await step.run(name, () => mark(`${id}:${name}`));
        });
      await app([make("one"), make("two")]);
      const runs = await ended(await trigger(on("x")), 2);
      expect(runs.map(({ status }) => status)).toEqual(["Completed", "Completed"]);
      for (const name of ["one", "two"]) {
        const [first, , last] = marks(`${name}:`);
        expect((last?.at ?? Number.NaN) - (first?.at ?? Number.NaN)).toBeLessThan(LATE);
      }
    },
  },
];

conformance("throttle", cases);
