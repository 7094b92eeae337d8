import { describe, expect, it } from "vitest";
import {
  type CatchUp,
  dueAt,
  nextDue,
  type Schedule,
  settle,
  type Tick,
  tell,
} from "../../../../src/decide/schedule/schedule.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const START = Date.parse("2026-11-21T10:00:30Z");
const at = (time: string) => Date.parse(`2026-11-21T${time}Z`);

/** A schedule that was told these crons at `START`. */
function scheduleOf(...crons: (string | { cron: string; jitter: number })[]): Schedule {
  const triggers = crons.map((cron) => (typeof cron === "string" ? { cron, jitter: null } : cron));
  return tell(null, triggers, { revision: 1, now: START });
}

/** The ticks that start runs when all crons are wanted. */
function ticksAt(schedule: Schedule, now: number, policy: CatchUp): Tick[] {
  return (dueAt(schedule, "f", now, policy)?.instants ?? []).flatMap(([first]) => first ?? []);
}

/** What starts runs: time of day and cron. */
function due(schedule: Schedule, now: number, policy: CatchUp = "latest"): string[] {
  return ticksAt(schedule, now, policy).map((tick) => `${new Date(tick.at).toISOString().slice(11, 16)} ${tick.cron}`);
}

/** The schedule after everything due at `now` is done. */
function done(schedule: Schedule, now: number, policy: CatchUp = "latest"): Schedule {
  const found = dueAt(schedule, "f", now, policy);
  return found === null ? schedule : settle(schedule, found);
}

const EVERY_5 = "*/5 * * * *";

describe("ticks on time", () => {
  it("TR-15: nothing is due before its time, and everything at its time", () => {
    const schedule = scheduleOf(EVERY_5);
    expect(nextDue(schedule, "f")).toBe(at("10:05:00"));
    expect(dueAt(schedule, "f", at("10:04:59.999"), "all")).toBeNull();
    expect(due(schedule, at("10:05:00"))).toEqual([`10:05 ${EVERY_5}`]);
    expect(nextDue(done(schedule, at("10:05:00")), "f")).toBe(at("10:10:00"));
  });

  it.each<[CatchUp]>([["skip"], ["latest"], ["all"]])(
    "TR-15: a tick late by less than a minute fires, policy %s",
    (policy) => {
      expect(due(scheduleOf(EVERY_5), at("10:05:59.999"), policy)).toEqual([`10:05 ${EVERY_5}`]);
    },
  );

  it("TR-12: crons that tick together start one run, which the first of them names", () => {
    let schedule = scheduleOf("0 * * * *", "*/30 * * * *");
    expect(due(schedule, at("10:30:00"))).toEqual(["10:30 */30 * * * *"]);
    schedule = done(schedule, at("10:30:00"));
    expect(due(schedule, at("11:00:00"))).toEqual(["11:00 0 * * * *"]);
    schedule = done(schedule, at("11:00:00"));
    expect(dueAt(schedule, "f", at("11:00:01"), "all")).toBeNull();
    expect(nextDue(schedule, "f")).toBe(at("11:30:00"));
  });

  it("a schedule whose crons never tick is never due", () => {
    const schedule = scheduleOf("0 0 30 2 *", "no cron at all");
    expect(nextDue(schedule, "f")).toBeNull();
    expect(dueAt(schedule, "f", START + 1e12, "all")).toBeNull();
  });
});

describe("missed ticks", () => {
  // Stopped from 10:01 to 10:31:30.
  const back = at("10:31:30");

  it("TR-13: latest: one run with the latest scheduled time, then the regular rhythm", () => {
    const schedule = scheduleOf(EVERY_5);
    expect(due(schedule, back, "latest")).toEqual([`10:30 ${EVERY_5}`]);
    expect(nextDue(done(schedule, back, "latest"), "f")).toBe(at("10:35:00"));
  });

  it("TR-13: latest: when the latest is merely late, it stands for those before", () => {
    expect(due(scheduleOf(EVERY_5), at("10:30:20"), "latest")).toEqual([`10:30 ${EVERY_5}`]);
  });

  it("TR-13: latest: each cron for itself", () => {
    const schedule = scheduleOf(EVERY_5, "10 10 * * *", "20 10 * * *");
    expect(due(schedule, back, "latest")).toEqual(["10:10 10 10 * * *", "10:20 20 10 * * *", `10:30 ${EVERY_5}`]);
  });

  it("TR-13: skip: none of them, and they are done", () => {
    const schedule = scheduleOf(EVERY_5);
    expect(dueAt(schedule, "f", back, "skip")).toMatchObject({ instants: [] });
    expect(nextDue(done(schedule, back, "skip"), "f")).toBe(at("10:35:00"));
    expect(due(done(schedule, back, "skip"), back, "all")).toEqual([]);
  });

  it("TR-13, BY-20: all: each of them, oldest first, several crons in the order of their times", () => {
    const times = ["10:05", "10:10", "10:15", "10:20", "10:25", "10:30"];
    expect(due(scheduleOf(EVERY_5), back, "all")).toEqual(times.map((time) => `${time} ${EVERY_5}`));
    expect(due(scheduleOf("*/15 * * * *", "7,20 10 * * *"), back, "all")).toEqual([
      "10:07 7,20 10 * * *",
      "10:15 */15 * * * *",
      "10:20 7,20 10 * * *",
      "10:30 */15 * * * *",
    ]);
  });

  it("TR-13: all: the last hundred of each cron", () => {
    const schedule = scheduleOf("* * * * *", "*/2 * * * *");
    const ticks = dueAt(schedule, "f", START + 5 * HOUR, "all")?.instants.flat() ?? [];
    expect(ticks.filter(({ cron }) => cron === "* * * * *")).toHaveLength(100);
    expect(ticks[0]?.at).toBe(at("11:42:00"));
    expect(ticks.at(-1)?.at).toBe(at("15:00:00"));
    const after100 = settle(schedule, { handled: new Map([["* * * * *", at("15:00:00")]]) });
    expect(due(after100, START + 5 * HOUR, "all")).toHaveLength(100);
  });

  it("TR-13: a year without the engine costs no more than an hour", () => {
    const ticks = ticksAt(scheduleOf("* * * * *"), START + 366 * 24 * HOUR, "all");
    expect(ticks).toHaveLength(100);
  });
});

describe("clocks that jump", () => {
  it("I7: back: nothing fires again, and the next tick waits for its time", () => {
    const schedule = done(scheduleOf(EVERY_5), at("10:05:00"));
    for (const now of [at("10:04:59"), at("10:00:00"), START - 24 * HOUR]) {
      expect(dueAt(schedule, "f", now, "all")).toBeNull();
    }
    expect(nextDue(schedule, "f")).toBe(at("10:10:00"));
    expect(due(schedule, at("10:10:00"))).toEqual([`10:10 ${EVERY_5}`]);
  });

  it("I7: a year forward is an outage", () => {
    const later = Date.parse("2027-11-21T10:07:00Z");
    const schedule = scheduleOf(EVERY_5);
    expect(ticksAt(schedule, later, "latest")).toEqual([
      expect.objectContaining({ at: Date.parse("2027-11-21T10:05:00Z") }),
    ]);
  });
});

describe("changed crons", () => {
  const told = (schedule: Schedule, revision: number, now: number, ...crons: string[]) =>
    tell(
      schedule,
      crons.map((cron) => ({ cron, jitter: null })),
      { revision, now },
    );

  it("TR-14: a changed cron never fires at an old time, and the new one from now on", () => {
    const schedule = told(scheduleOf("* * * * *"), 2, at("10:03:00"), "0 0 1 1 *");
    expect(dueAt(schedule, "f", at("10:05:00"), "all")).toBeNull();
    expect(nextDue(schedule, "f")).toBe(Date.parse("2027-01-01T00:00:00Z"));
    // What fell due before the change is gone, also when it comes back.
    expect(due(told(schedule, 3, at("10:10:30"), "* * * * *"), at("10:11:00"), "all")).toEqual(["10:11 * * * * *"]);
  });

  it("TR-14: an unchanged cron keeps its rhythm, whatever else changes", () => {
    const schedule = told(scheduleOf("* * * * *", EVERY_5), 2, at("10:07:00"), "0 0 * * *", EVERY_5);
    expect(due(schedule, at("10:07:00"), "all")).toEqual([`10:05 ${EVERY_5}`]);
    expect(nextDue(schedule, "f")).toBe(at("10:05:00"));
  });

  it("TR-14: an old or repeated message changes nothing", () => {
    const schedule = told(scheduleOf("* * * * *"), 3, at("10:03:00"), "0 0 1 1 *");
    expect(told(schedule, 2, at("10:04:00"), "* * * * *")).toBe(schedule);
    expect(told(schedule, 3, at("10:04:00"), "0 0 1 1 *")).toBe(schedule);
  });

  it("TR-14: what was told while ticks were published stays", () => {
    const before = scheduleOf("* * * * *", EVERY_5);
    const found = dueAt(before, "f", at("10:05:00"), "latest");
    if (found === null) throw new Error("two crons tick at 10:05");
    const changed = told(before, 2, at("10:05:00.010"), EVERY_5, "0 0 * * *");
    const settled = settle(changed, found);
    expect(settled.crons.map(({ cron }) => cron)).toEqual([EVERY_5, "0 0 * * *"]);
    expect(nextDue(settled, "f")).toBe(at("10:10:00"));
  });

  it("TR-14: another jitter is no other cron", () => {
    const schedule = tell(scheduleOf(EVERY_5), [{ cron: EVERY_5, jitter: MINUTE }], {
      revision: 2,
      now: at("10:05:01"),
    });
    expect(nextDue(schedule, "f")).toBeGreaterThan(at("10:05:00"));
    expect(nextDue(schedule, "f")).toBeLessThan(at("10:06:00"));
  });
});

describe("jitter", () => {
  it("TR-15: fires at its moment within the jitter, and says both times", () => {
    const schedule = scheduleOf({ cron: "0 * * * *", jitter: 5 * MINUTE });
    const fireAt = nextDue(schedule, "f") ?? 0;
    expect(fireAt).toBeGreaterThanOrEqual(at("11:00:01"));
    expect(fireAt).toBeLessThan(at("11:05:00"));
    expect(dueAt(schedule, "f", fireAt - 1, "all")).toBeNull();
    expect(ticksAt(schedule, fireAt, "skip")).toEqual([{ cron: "0 * * * *", at: at("11:00:00"), fireAt }]);
    // Late is what is late for its own moment.
    expect(ticksAt(schedule, fireAt + MINUTE - 1, "skip")).toHaveLength(1);
    expect(ticksAt(schedule, fireAt + MINUTE, "skip")).toEqual([]);
  });

  it("TR-13, TR-15: a tick that waits for its moment is not missed with those before it", () => {
    const schedule = scheduleOf({ cron: "0 * * * *", jitter: 5 * MINUTE });
    expect(due(schedule, at("13:00:00"), "latest")).toEqual(["12:00 0 * * * *"]);
    const later = done(schedule, at("13:00:00"), "latest");
    expect(due(later, at("13:05:00"), "all")).toEqual(["13:00 0 * * * *"]);
  });
});
