/**
 * Crons through the official SDKs, on the real clock (TR-8 to TR-16). A minute is the shortest rhythm there is: every scenario gets ready,
 * and then all of them wait for the same full minute.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import * as z from "zod";
import { type Case, conformance } from "../harness/cases.ts";
import { hasEnded, startTestEngine } from "../harness/engine.ts";
import { openScenario, type Scenario } from "../harness/scenario.ts";
import type { HandlerContext } from "../harness/sdk.ts";

const MINUTE = 60_000;
/** ms that getting ready may take: with less than that left, a scenario waits for the minute after. */
const PREPARATION = 12_000;
/** ms; a full minute comes within this, and everything it starts is over. */
const PATIENCE = 100_000;
/** ms by which a tick may be late here: two busy cores carry a dozen apps. */
const LATE = 10_000;

const EVERY_MINUTE = { cron: "* * * * *" };

/** Waits until there is time to get ready before the next full minute, and answers that minute. */
async function nextMinute(): Promise<number> {
  const left = MINUTE - (Date.now() % MINUTE);
  if (left < PREPARATION) await sleep(left + 50);
  return Math.ceil(Date.now() / MINUTE) * MINUTE;
}

/** A run's row, as far as crons show in it. */
const cronRun = z.looseObject({ cron: z.string().nullable(), event_name: z.string(), queued_at: z.string() });

const listedEvents = z.object({
  data: z.array(
    z.looseObject({ id: z.string(), internal_id: z.string(), source: z.string().optional(), ts: z.number() }),
  ),
});

type Event = HandlerContext<Readonly<Record<string, unknown>>>["event"];

const cases: readonly Case[] = [
  {
    id: "TR-10",
    title: "Crons of a function tick together on the full minute, and start one run",
    proves: ["TR-9", "TR-10", "TR-12", "TR-15", "TR-16", "API-8"],
    async run({ app, fn, engine, until, mark, marks }) {
      const minute = await nextMinute();
      const seen: { readonly event: Event; readonly events: readonly Event[]; readonly runId: string }[] = [];
      await app([
        fn("ticks", [EVERY_MINUTE, { cron: "TZ=Europe/Paris */1 * * * *" }], ({ event, events, runId }) => {
          mark(`tick ${event.ts}`);
          seen.push({ event, events, runId });
          return "done";
        }),
      ]);
      await until(() => marks(`tick ${minute}`).length > 0, PATIENCE);
      const [{ event, events, runId } = { event: null, events: [], runId: "" }] = seen;
      const time = new Date(minute).toISOString().replace(".000Z", "Z");
      const data = { cron: "* * * * *", scheduledAt: time, fireAt: time };
      expect(event).toMatchObject({ name: "inngest/scheduled.timer", id: time, ts: minute, data, user: {} });
      expect(events).toEqual([event]);

      const run = await until(async () => {
        const found = await engine.run(runId);
        return hasEnded(found) ? found : null;
      });
      expect(run).toMatchObject({ status: "Completed", output: "done", event_name: "inngest/scheduled.timer" });
      const { cron, queued_at } = cronRun.parse(run);
      expect(cron).toBe("* * * * *");
      expect(Date.parse(queued_at)).toBeGreaterThanOrEqual(minute);
      expect(Date.parse(queued_at)).toBeLessThan(minute + LATE);
      expect(seen.filter((other) => other.event.ts === minute)).toHaveLength(1);

      // The event is stored, and no ordinary one.
      const list = async (query: string) =>
        listedEvents.parse((await engine.api("GET", `/v1/events?limit=100${query}`)).json).data;
      const [eventId = ""] = run.event_ids;
      expect(
        await until(async () =>
          (await list("&name=inngest/scheduled.timer")).find((one) => one.internal_id === eventId),
        ),
      ).toMatchObject({ id: time });
      expect((await list("")).filter((one) => one.internal_id === eventId)).toEqual([]);
    },
  },
  {
    id: "SC-47",
    title: "Several triggers, events and a cron: the event's name tells which one fired",
    proves: ["TR-8", "TR-10"],
    async run({ app, fn, on, send, finished, until, mark, names }) {
      await nextMinute();
      await app([
        fn("multi", [{ event: on("created") }, { event: on("updated") }, EVERY_MINUTE], ({ event }) => {
          mark(`multi ${event.name}`);
          return event.name;
        }),
      ]);
      for (const name of ["created", "updated"]) {
        const [id = ""] = await send({ name: on(name) });
        expect(await finished(id)).toMatchObject({ output: on(name) });
      }
      const fired = await until(() => {
        const all = names("multi ");
        return all.length > 2 ? all : null;
      }, PATIENCE);
      expect(new Set(fired)).toEqual(
        new Set([`multi ${on("created")}`, `multi ${on("updated")}`, "multi inngest/scheduled.timer"]),
      );
    },
  },
  {
    id: "SC-50",
    title: "A cron that a sync replaces or takes away fires no more, and a new one fires without a restart",
    proves: ["TR-14"],
    async run({ app, fn, until, mark, names }) {
      await nextMinute();
      const ticking = (id: string, cron: string) => fn(id, { cron }, ({ event }) => mark(`${id} ${event.ts}`));
      const served = await app([ticking("replaced", "* * * * *"), ticking("removed", "* * * * *")]);
      await served.resync([ticking("replaced", "0 0 1 1 *"), ticking("added", "* * * * *")]);
      const synced = Date.now();
      await until(() => names("added ").length > 0, PATIENCE);
      await sleep(1500);
      expect(names("re").filter((name) => Number(name.split(" ")[1]) > synced)).toEqual([]);
    },
  },
  {
    id: "SC-51",
    title: "A cron that fans out",
    proves: ["TR-9", "EX-56"],
    async run({ app, fn, on, until, marks, mark, engine }) {
      await nextMinute();
      const runs: string[] = [];
      await app([
        fn("load", EVERY_MINUTE, async ({ step, runId }) => {
          runs.push(runId);
          const users = await step.run("fetch-users", () => ["a@x", "b@x", "c@x"]);
          await step.sendEvent(
            "send-digest-events",
            users.map((email) => ({ name: on("digest"), data: { email } })),
          );
          return { count: users.length };
        }),
        fn<{ email: string }>("send-digest", on("digest"), ({ event }) => mark(`digest ${event.data.email}`)),
      ]);
      await until(() => marks("digest ").length >= 3, PATIENCE);
      expect(new Set(marks("digest ").map(({ name }) => name))).toEqual(
        new Set(["digest a@x", "digest b@x", "digest c@x"]),
      );
      await until(async () => {
        const run = await engine.run(runs[0] ?? "");
        return hasEnded(run) && run;
      });
      expect(await engine.run(runs[0] ?? "")).toMatchObject({ status: "Completed", output: { count: 3 } });
    },
  },
  {
    id: "TR-13",
    title: "kill -9 just before the full minute: the tick fires once",
    proves: ["TR-13", "TR-16", "I1"],
    sdks: ["v4"],
    async run({ variant }) {
      const engine = await startTestEngine();
      const { scenario, close } = openScenario(engine, "TR-13-killed", variant);
      try {
        await killedOver(await nextMinute(), scenario, engine);
      } finally {
        await close();
        await engine.stop();
      }
    },
  },
];

async function killedOver(minute: number, { app, fn, mark, marks, until }: Scenario, engine: Scenario["engine"]) {
  await app([fn("ticks", EVERY_MINUTE, ({ event, runId }) => mark(`tick ${event.ts} ${runId};`))]);
  // It comes back by itself within half a second: on most machines after the minute.
  await sleep(minute - Date.now() - 150);
  await engine.kill();
  await engine.boot();
  await until(() => marks(`tick ${minute}`).length > 0, PATIENCE);
  await sleep(1000);
  // The engine may have died in the middle of a call, which is then repeated; the run is one.
  expect(new Set(marks(`tick ${minute}`).map(({ name }) => name)).size).toBe(1);
}

conformance("Crons", cases);
