/**
 * Scenarios of registrations that are refused, and of odd ones that are not (AP-14 to AP-17, AP-19).
 */
import { expect } from "vitest";
import { SyncRefused } from "../harness/app.ts";
import type { Case } from "../harness/cases.ts";

/** What the engine said, by way of the SDK; fails when the sync was accepted. */
async function refusalOf(sync: Promise<unknown>): Promise<{ readonly status: number; readonly message: string }> {
  const outcome: unknown = await sync.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(outcome instanceof SyncRefused)) throw new Error(`The sync was not refused: ${String(outcome)}`);
  return outcome;
}

/** Options that break one rule each, and the option their refusal has to name. */
const BROKEN: readonly (readonly [id: string, options: Readonly<Record<string, unknown>>, option: string])[] = [
  ["retries", { retries: 21 }, "retries"],
  ["throttle-limit", { throttle: { limit: 0, period: "1m" } }, "throttle.limit"],
  ["throttle-period", { throttle: { limit: 1, period: "8d" } }, "throttle.period"],
  ["rate-period", { rateLimit: { limit: 1, period: "25h" } }, "rateLimit.period"],
  ["debounce-period", { debounce: { period: "8d" } }, "debounce.period"],
  ["batch-small", { batchEvents: { maxSize: 1, timeout: "5s" } }, "batchEvents.maxSize"],
  ["batch-large", { batchEvents: { maxSize: 101, timeout: "5s" } }, "batchEvents.maxSize"],
  ["batch-late", { batchEvents: { maxSize: 5, timeout: "61s" } }, "batchEvents.timeout"],
  ["limits", { concurrency: [{ limit: 1 }, { limit: 2 }, { limit: 3 }] }, "concurrency"],
  ["scope", { concurrency: { limit: 1, scope: "env" } }, "concurrency.key"],
  ["mode", { singleton: { mode: "other" } }, "singleton.mode"],
  ["duration", { timeouts: { finish: "367d" } }, "timeouts.finish"],
  ["key", { concurrency: { limit: 1, key: "user.id" } }, "concurrency.key"],
];

/** The scenarios. */
export const refusals: readonly Case[] = [
  {
    id: "SC-34",
    title: "Retries and triggers are checked",
    proves: ["AP-14"],
    async run({ app, fn, on, api, appId }) {
      const eleven = Array.from({ length: 11 }, (_, i) => ({ event: on(`t${i}`) }));
      const refusal = await refusalOf(
        app([fn("eleven", eleven, () => 1), fn("bad-cron", { cron: "* * *" }, () => 1), fn("fine", on("x"), () => 1)]),
      );
      expect(refusal.status).toBe(400);
      expect(refusal.message).toMatch(/eleven[\s\S]*11[\s\S]*10/);
      expect(refusal.message).toMatch(/bad-cron[\s\S]*\* \* \*/);
      expect((await api("GET", `/v1/apps/${appId}/functions`)).status).toBe(404);
    },
  },
  {
    id: "AP-14",
    title: "All violations are listed, each with its function, its option and its rule",
    proves: ["AP-14", "AP-17"],
    async run({ app, fn, on, slug }) {
      const { status, message } = await refusalOf(
        app([
          ...BROKEN.map(([id, options]) => fn({ id, ...options }, on(id), () => 1)),
          fn("twice", [{ event: on("same") }, { event: on("same") }], () => 1),
          fn("zone", { cron: "TZ=Mars/Phobos 0 0 * * *" }, () => 1),
          fn("six", { cron: "0 0 0 * * *" }, () => 1),
          fn("long", on("").padEnd(257, "n"), () => 1),
        ]),
      );
      expect(status).toBe(400);
      const expected = [
        ...BROKEN.map(([id, , option]) => [id, option] as const),
        ["twice", "triggers[1]"],
        ["zone", "Mars/Phobos"],
        ["six", "0 0 0 * * *"],
        ["long", "256"],
      ] as const;
      for (const [id, words] of expected) {
        const [, after = ""] = message.split(`"${slug(id)}"`);
        expect(after.split("Function ")[0], id).toContain(words);
      }
    },
  },
  {
    id: "SC-35",
    title: "Six cancel events",
    proves: ["AP-14"],
    async run({ app, fn, on, trigger, finished, slug }) {
      const make = (count: number) =>
        fn(
          {
            id: "reminder",
            cancelOn: Array.from({ length: count }, (_, i) => ({
              event: on(`stop${i}`),
              if: "async.data.id == event.data.id",
            })),
          },
          on("x"),
          () => "kept",
        );
      const served = await app([make(5)]);
      const { status, message } = await refusalOf(served.resync([make(6)]));
      expect(status).toBe(400);
      expect(message).toContain(slug("reminder"));
      expect(message).toContain("cancelOn");
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "kept" });
    },
  },
  {
    id: "SC-36",
    title: "Forbidden combinations",
    proves: ["AP-15", "FC-40"],
    async run({ app, fn, on, slug }) {
      const options: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
        singleton: { singleton: { mode: "skip" } },
        debounce: { debounce: { period: "5s" } },
        priority: { priority: { run: "1" } },
        rateLimit: { rateLimit: { limit: 1, period: "1m" } },
        idempotency: { idempotency: "event.data.id" },
        cancelOn: { cancelOn: [{ event: on("c") }] },
      };
      const batchEvents = { maxSize: 10, timeout: "5s" };
      const served = await app([]);
      for (const [name, option] of Object.entries(options)) {
        const combined = fn({ id: `with-${name}`, batchEvents, ...option }, on("combo"), () => 1);
        const { status, message } = await refusalOf(served.resync([combined]));
        expect(status).toBe(400);
        for (const words of [slug(`with-${name}`), "batchEvents", name]) expect(message).toContain(words);
        expect((await served.resync([fn({ id: `only-${name}`, ...option }, on("combo"), () => 1)])).status).toBe(200);
      }
      expect((await served.resync([fn({ id: "only-batch", batchEvents }, on("combo"), () => 1)])).status).toBe(200);
    },
  },
  {
    id: "SC-37",
    title: "Expression errors at sync",
    proves: ["AP-17", "XP-9"],
    async run({ app, fn, on }) {
      const { status, message } = await refusalOf(
        app([
          fn("unquoted", { event: on("x"), if: "user_1234 == event.data.id" }, () => 1),
          fn("unfinished", { event: on("x"), if: "event.data.a == 'x' && event.data.b ==" }, () => 1),
        ]),
      );
      expect(status).toBe(400);
      expect(message).toMatch(/unquoted[\s\S]*user_1234[\s\S]*column 1\b/);
      expect(message).toMatch(/unfinished[\s\S]*column \d+/);
    },
  },
  {
    id: "AP-16",
    title: "Odd combinations are accepted with a warning",
    proves: ["AP-16", "FC-40", "XP-3"],
    async run({ app, fn, on, api }) {
      const served = await app([
        fn({ id: "single", singleton: { mode: "skip" }, concurrency: 5 }, on("x"), () => 1),
        fn(
          {
            id: "batched",
            batchEvents: { maxSize: 5, timeout: "5s" },
            concurrency: { limit: 1, key: "event.data.user" },
          },
          on("x"),
          () => 1,
        ),
        fn("never", { event: on("x"), if: "async.data.x == 1" }, () => 1),
      ]);
      expect(served.sync.status).toBe(200);
      const { json } = await api("POST", "/v1/apps", { url: served.url });
      const warned = JSON.stringify(json);
      for (const words of ["single", "singleton", "batched", "concurrency.key", "never"])
        expect(warned).toContain(words);
    },
  },
];
