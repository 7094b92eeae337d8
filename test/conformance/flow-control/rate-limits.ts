/**
 * Scenarios of rate limits and idempotency keys (FC-19 … FC-23, FC-42, FC-43, SC-89, SC-113, SC-115).
 */
import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import { outcomesOf, verdictOn } from "./outcomes.ts";

const limited = "skipped: rate_limited";

/** The scenarios. */
export const rateLimits: readonly Case[] = [
  {
    id: "SC-113",
    title: "Rate limit",
    proves: ["FC-19", "EV-12", "EV-27"],
    async run({ app, fn, on, send, ended, engine, slug, names, mark }) {
      const rateLimit = { limit: 1, period: "4h" as const, key: "event.data.company_id" };
      await app([
        fn<{ company_id: string }>({ id: "sync-company", rateLimit }, on("updated"), ({ event }) => {
          mark(`synced:${event.data.company_id}`);
        }),
      ]);
      const companies = ["A", "A", "B"];
      const ids = await send(companies.map((company_id) => ({ name: on("updated"), data: { company_id } })));
      const [first = "", second = "", third = ""] = ids;
      expect(await ended(first)).toMatchObject([{ status: "Completed" }]);
      expect(await ended(third)).toMatchObject([{ status: "Completed" }]);
      expect(await outcomesOf(engine, second)).toMatchObject([
        { function_slug: slug("sync-company"), outcome: "skipped", reason: "rate_limited", run_id: null },
      ]);
      expect(await engine.event(second)).toMatchObject({ data: { company_id: "A" } });
      expect(await engine.runsOf(second)).toEqual([]);
      expect(names("synced:").sort()).toEqual(["synced:A", "synced:B"]);
    },
  },
  {
    id: "FC-20",
    title: "As many as the limit at once, in the order of the request, and later one per interval",
    proves: ["FC-20", "FC-8"],
    async run({ app, fn, on, send, trigger, finished, engine, pause }) {
      await app([fn({ id: "paced", rateLimit: { limit: 4, period: "8s" } }, on("x"), () => "ran")]);
      const ids = await send(Array.from({ length: 6 }, (_, n) => ({ name: on("x"), data: { n } })));
      const verdicts = [];
      for (const id of ids) verdicts.push(await verdictOn(engine, id));
      expect(verdicts).toEqual([...Array(4).fill("started"), limited, limited]);
      await pause(2100);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed" });
    },
  },
  {
    id: "FC-20b",
    title: "With limit 1 nothing starts until a whole period is over",
    proves: ["FC-20"],
    async run({ app, fn, on, trigger, until, engine, mark, marks }) {
      await app([fn({ id: "single", rateLimit: { limit: 1, period: "3s" } }, on("x"), () => mark("ran"))]);
      const began = Date.now();
      await trigger(on("x"));
      // Asked again and again, until a second one passes.
      await until(async () => (await verdictOn(engine, await trigger(on("x")))) === "started");
      expect(Date.now() - began).toBeGreaterThanOrEqual(3000);
      await until(() => marks("ran").length === 2);
    },
  },
  {
    id: "EV-7",
    title: "A send that is repeated takes no second token and gets the same answers",
    proves: ["EV-7", "FC-19"],
    async run({ app, fn, on, api, engine }) {
      await app([fn({ id: "seeded", rateLimit: { limit: 2, period: "1h" } }, on("x"), () => "ran")]);
      const seed = () => `${Date.now()},${randomBytes(10).toString("base64")}`;
      const sendWith = async (header: string, count: number): Promise<string[]> => {
        const events = Array.from({ length: count }, () => ({ name: on("x"), data: {} }));
        const { status, json } = await api("POST", "/e/test", events, { "x-inngest-event-id-seed": header });
        expect(status).toBe(200);
        return (json as { ids: string[] }).ids;
      };
      const first = seed();
      const ids = await sendWith(first, 1);
      for (let i = 0; i < 3; i++) expect(await sendWith(first, 1)).toEqual(ids);
      const others = await sendWith(seed(), 2);
      const verdicts = [];
      for (const id of [...ids, ...others]) verdicts.push(await verdictOn(engine, id));
      expect(verdicts).toEqual(["started", "started", limited]);
    },
  },
  {
    id: "SC-115",
    title: "Idempotency key",
    proves: ["FC-21", "FC-22"],
    async run({ app, fn, on, send, trigger, until, engine, slug, mark, marks }) {
      const idempotency = `event.data.promptHash + "-" + event.data.userId`;
      await app([
        fn("track-requests", on("generate"), () => mark("track")),
        fn({ id: "run-generation", idempotency }, on("generate"), () => mark("generate")),
      ]);
      const data = { promptHash: "h", userId: "u" };
      const ids = await send(Array.from({ length: 3 }, () => ({ name: on("generate"), data })));
      await until(() => marks("track").length === 3);
      const outcomes = await outcomesOf(engine, ids[2] ?? "");
      expect(outcomes.map(({ function_slug, outcome, reason }) => [function_slug, outcome, reason]).sort()).toEqual([
        [slug("run-generation"), "skipped", "idempotent"],
        [slug("track-requests"), "started", null],
      ]);
      expect(marks("generate")).toHaveLength(1);
      await trigger(on("generate"), { promptHash: "h", userId: "other" });
      await until(() => marks("generate").length === 2);
      await trigger(on("generate"), data);
      await until(() => marks("track").length === 5);
      expect(marks("generate")).toHaveLength(2);
    },
  },
  {
    id: "FC-21",
    title: "Rate limit and idempotency together: the first that refuses says why",
    proves: ["FC-21", "FC-19"],
    async run({ app, fn, on, send, engine }) {
      const options = { id: "both", rateLimit: { limit: 2, period: "1h" }, idempotency: "event.data.cart" };
      await app([fn(options, on("x"), () => "ran")]);
      const ids = await send([1, 1, 2].map((cart) => ({ name: on("x"), data: { cart } })));
      const verdicts = [];
      for (const id of ids) verdicts.push(await verdictOn(engine, id));
      // The second took a token of the rate limit before its key refused it, and none is given back.
      expect(verdicts).toEqual(["started", "skipped: idempotent", limited]);
    },
  },
  {
    id: "FC-23",
    title: "A key that is false is no rate limit",
    proves: ["FC-23"],
    async run({ app, fn, on, send, engine }) {
      const key = "event.data.plan == 'free' ? event.data.userId : false";
      await app([fn({ id: "free", rateLimit: { limit: 1, period: "1h", key } }, on("x"), () => "ran")]);
      const plans = ["paid", "free", "paid", "free", "paid"];
      const ids = await send(plans.map((plan) => ({ name: on("x"), data: { plan, userId: "u" } })));
      const verdicts = [];
      for (const id of ids) verdicts.push(await verdictOn(engine, id));
      expect(verdicts).toEqual(["started", "started", "started", limited, "started"]);
    },
  },
  {
    id: "FC-42",
    title: "Two triggers that match an event are one start",
    proves: ["FC-42", "TR-8"],
    async run({ app, fn, on, send, ended, slug }) {
      const rateLimit = { limit: 2, period: "1h" };
      const triggers = [{ event: on("x") }, { event: on("x"), if: "event.data.n > 0" }];
      await app([fn({ id: "twice", rateLimit }, triggers, () => "ran")]);
      for (const id of await send([1, 2].map((n) => ({ name: on("x"), data: { n } })))) {
        expect(await ended(id)).toMatchObject([{ status: "Completed", function_slug: slug("twice") }]);
      }
    },
  },
  {
    id: "FC-43",
    title: "An invocation over HTTP is counted like an event",
    proves: ["FC-43", "TR-17"],
    async run({ app, fn, on, api, slug, until, engine, mark, marks }) {
      await app([fn({ id: "counted", idempotency: "event.data.id" }, on("x"), () => mark("ran"))]);
      const path = `/invoke/${slug("counted")}`;
      for (let i = 0; i < 3; i++) expect((await api("POST", path, { data: { id: 1 } })).status).toBe(200);
      expect((await api("POST", path, { data: { id: 2 } })).status).toBe(200);
      await until(() => marks("ran").length === 2);
      await engine.send({ name: on("x"), data: { id: 3 } });
      await until(() => marks("ran").length === 3);
    },
  },
  {
    id: "SC-89",
    title: "Callees with flow control",
    proves: ["EX-51", "EX-53", "FC-17", "FC-43"],
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      const limitedTo1 = fn({ id: "limited", rateLimit: { limit: 1, period: "1h" } }, on("l"), () => "ran");
      const paced = fn({ id: "paced", throttle: { limit: 1, period: "3s" } }, on("p"), () => {
        mark("paced");
        return "paced";
      });
      const caller = fn({ id: "fc-caller", retries: 0 }, on("x"), async ({ step }) => {
        const first = await step.invoke("l1", { function: limitedTo1.native, data: {} });
        const second = await step
          .invoke("l2", { function: limitedTo1.native, data: {} })
          .catch((error: unknown) => (error instanceof Error ? error.message : "no error"));
        const three = await Promise.all(
          [1, 2, 3].map((i) => step.invoke(`p${i}`, { function: paced.native, data: {} })),
        );
        return { first, second, three };
      });
      await app([limitedTo1, paced, caller]);
      const { status, output } = await finished(await trigger(on("x")));
      expect(status).toBe("Completed");
      expect(output).toMatchObject({ first: "ran", three: ["paced", "paced", "paced"] });
      expect(output).toMatchObject({ second: expect.stringContaining("invoked function is rate limited") });
      const [a, b, c] = marks("paced").map(({ at }) => at);
      for (const gap of [(b ?? 0) - (a ?? 0), (c ?? 0) - (b ?? 0)]) expect(gap).toBeGreaterThan(2500);
    },
  },
];
