/**
 * Scenarios of the expression language, as filters of functions (spec/07).
 */
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";

const DATA = {
  userId: "u",
  n: 7,
  f: 9.1,
  plan: "enterprise",
  email: "x@gmail.com",
  items: ["shirt_1"],
  at: "2025-01-01T00:00:00Z",
  nul: null,
  "user id": "x",
};

/** True of {@link DATA}; the event's name is the parameter. */
const yes = (name: string): readonly string[] => [
  "event.data.plan == 'enterprise' && event.data.n > 5",
  'event.data.plan != "pro" || event.data.n < 3',
  "(event.data.userId + '-' + event.data.n) == 'u-7'",
  "('n' + event.data.f) == 'n9.1'",
  "(event.data.plan == 'enterprise' && event.data.n < 10 ? 120 : 0) == 120",
  "event.data.n == 7.0",
  "event.data[\"user id\"] == 'x'",
  "event.data.items[0] == 'shirt_1'",
  "event.data.items.exists(e, e == 'shirt_1')",
  "event.data.email.contains('gmail.com')",
  "has(event.data.email)",
  "timestamp(event.data.at) > timestamp('2024-01-01T00:00:00Z')",
  "event.data.a.b.c == null",
  "event.data.none < 1",
  "event.data.none != 'x'",
  "event.data.nul == null",
  "event.data.nul < 1",
  "event.data.none || event.data.userId",
  `event.name == '${name}' && event.ts > 0`,
];

/** Not true of {@link DATA}: a filter starts a run only when its value is the boolean true. */
const NO: readonly string[] = [
  "event.data.n == '7'",
  "event.data.none > 1",
  "event.data.none == event.data.none2",
  "has(event.data.none)",
  "event.data.nul > 0",
  "event.data.userId",
  "event.data.n / 0 > 1",
];

/** The scenarios. */
export const expressions: readonly Case[] = [
  {
    id: "SC-151",
    title: "Expressions",
    proves: ["XP-1", "XP-2", "XP-5", "XP-6", "XP-7", "XP-10", "XP-11", "XP-12", "XP-13", "XP-20"],
    async run({ app, fn, on, trigger, engine, until, pause, mark, marks, slug }) {
      const name = on("x");
      const filters = [...yes(name), ...NO];
      await app(filters.map((filter, at) => fn(`xp-${at}`, { event: name, if: filter }, () => mark(`xp:${at}`))));
      const id = await trigger(name, DATA);
      const ran = () => marks("xp:").map((mark) => filters[Number(mark.name.slice("xp:".length))] ?? "");
      await until(() => ran().length >= yes(name).length, 10_000).catch(() => false);
      await pause(500);
      expect(ran().sort()).toEqual(yes(name).toSorted());
      const outcomes = (await engine.event(id))["outcomes"];
      for (const at of [filters.length - 2, filters.length - 1]) {
        expect(outcomes, filters[at]).toContainEqual(
          expect.objectContaining({ function_slug: slug(`xp-${at}`), outcome: "expression_error" }),
        );
      }
    },
  },
  {
    id: "XP-20",
    title: "A filter that errs on one event and not on another",
    proves: ["TR-6", "EV-12"],
    async run({ app, fn, on, send, finished, engine, slug }) {
      await app([fn("sized", { event: on("x"), if: "event.data.list.size() > 1" }, () => "ran")]);
      const [fits = "", errs = ""] = await send([
        { name: on("x"), data: { list: [1, 2] } },
        { name: on("x"), data: { list: 5 } },
      ]);
      expect(await finished(fits)).toMatchObject({ output: "ran" });
      expect(await engine.event(errs)).toMatchObject({
        outcomes: [{ function_slug: slug("sized"), outcome: "expression_error", run_id: null }],
      });
    },
  },
];
