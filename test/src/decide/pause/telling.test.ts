import { describe, expect, it } from "vitest";
import {
  dueTelling,
  hindered,
  learn,
  NO_PAUSES,
  nextDue,
  type PauseLog,
  type PauseLook,
  paged,
  watch,
} from "../../../../src/decide/pause/telling.ts";
import { PAUSE } from "../../../../src/limits.ts";

const T0 = 1_800_000_000_000;

const pause = (over: Partial<PauseLook> = {}): PauseLook => ({
  since: T0,
  until: null,
  running: "hold",
  placed: false,
  ...over,
});

/** Does every page of what is due until nothing is; answers what was told, in order. */
function tellAll(log: PauseLog, from: number, pages = 1): { log: PauseLog; told: string[]; at: number } {
  const told: string[] = [];
  let [now, current] = [from, log];
  for (;;) {
    const due = nextDue(current);
    if (due === null || (current.queue.length === 0 && due > now)) return { log: current, told, at: now };
    now = Math.max(now, due);
    const telling = dueTelling(current, now);
    if (telling === null) return { log: current, told, at: now };
    told.push(`${telling.pause.since - T0}:${telling.pause.until === null ? "on" : "over"}:${telling.pass}`);
    const page = telling.cursor === null ? 1 : Number(telling.cursor) + 1;
    current = paged(current, telling, page < pages ? String(page) : null, now);
  }
}

describe("what a function's runs are told of its pauses", () => {
  it("CR-15: runs that are only held are told nothing until 7 days are over, and then that they are cancelled", () => {
    const held = learn(NO_PAUSES, pause(), T0 + 5);
    expect(held.queue).toEqual([]);
    expect(nextDue(held)).toBe(T0 + PAUSE.hold);
    const over = learn(held, pause(), T0 + PAUSE.hold);
    expect(over.queue).toMatchObject([{ expired: true }]);
    expect(tellAll(over, T0 + PAUSE.hold)).toMatchObject({ told: ["0:on:0", "0:on:1", "0:on:2"], log: { look: null } });
  });

  it("CR-18: runs that hold places among whole runs are told at once", () => {
    const log = learn(NO_PAUSES, pause({ placed: true }), T0);
    expect(nextDue(log)).toBe(T0);
    expect(nextDue(tellAll(log, T0).log)).toBe(T0 + PAUSE.hold);
  });

  it("CR-16, CR-17: a pause that cancels and the end of a pause are told, once, in passes that find young runs too", () => {
    for (const told of [pause({ running: "cancel" }), pause({ until: T0 + 10 })]) {
      const log = learn(NO_PAUSES, told, T0 + 20);
      const done = tellAll(log, T0 + 20, 3);
      expect(done.told).toHaveLength(9);
      expect(done.at).toBe(T0 + 20 + PAUSE.passes[2]);
      expect(learn(done.log, told, T0 + 60_000).queue).toEqual([]);
    }
  });

  it("something newer about a pause takes the place of what was being told", () => {
    const begun = learn(NO_PAUSES, pause({ running: "cancel" }), T0);
    const [telling] = begun.queue;
    if (telling === undefined) throw new Error("nothing is to be told");
    const ended = learn(begun, pause({ running: "cancel", until: T0 + 50 }), T0 + 50);
    expect(paged(ended, telling, "1", T0 + 60)).toEqual(ended);
    expect(tellAll(ended, T0 + 60).told).toEqual(["0:over:0", "0:over:1", "0:over:2"]);
  });

  it("a later pause waits for nothing but the first pass of the earlier one", () => {
    const first = learn(NO_PAUSES, pause({ until: T0 + 10 }), T0 + 10);
    const second = learn(first, pause({ since: T0 + 100, running: "cancel" }), T0 + 100);
    expect(tellAll(second, T0 + 100, 2).told.slice(0, 4)).toEqual(["0:over:0", "0:over:0", "100:on:0", "100:on:0"]);
  });

  it("a change that was announced is looked for, and one that never came leaves nothing", () => {
    const watched = watch(NO_PAUSES, T0);
    expect(nextDue(watched)).toBe(T0 + PAUSE.watch);
    expect(nextDue(learn(watched, null, T0 + PAUSE.watch))).toBeNull();
    const held = learn(NO_PAUSES, pause(), T0);
    expect(nextDue(watch(held, T0))).toBe(T0 + PAUSE.watch);
    expect(nextDue(learn(watch(held, T0), pause(), T0 + PAUSE.watch))).toBe(T0 + PAUSE.hold);
  });

  it("what fails is tried again, later each time, and success starts over", () => {
    let log = learn(NO_PAUSES, pause({ until: T0 }), T0);
    let now = T0;
    for (const delay of [1000, 2000, 4000]) {
      log = hindered(log, now);
      expect(nextDue(log)).toBe(now + delay);
      expect(dueTelling(log, now + delay - 1)).toBeNull();
      now += delay;
    }
    const telling = dueTelling(log, now);
    if (telling === null) throw new Error("nothing is due");
    expect(paged(log, telling, "1", now)).toMatchObject({ failures: 0, queue: [{ cursor: "1" }] });
  });
});
