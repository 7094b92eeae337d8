/**
 * Replaying many runs of a function (CR-22 … CR-25): which are chosen, how fast they start, how far it is.
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import { endedRun, previewOf, replay, replayed, replayNow } from "./running-again.ts";

const listSchema = z.object({ data: z.array(z.looseObject({ id: z.string(), name: z.string() })) });

/** The scenarios. */
export const replays: readonly Case[] = [
  {
    id: "SC-135",
    title: "Replay of failures",
    proves: ["CR-22", "CR-23", "CR-24"],
    alone: true,
    async run(scenario) {
      const { app, fn, on, send, ended, slug, engine } = scenario;
      let broken = true;
      await app([
        fn({ id: "rep", retries: 0 }, on("x"), () => {
          if (broken) throw new Error("bug");
          return "fixed";
        }),
      ]);
      const from = new Date().toISOString();
      const ids = await send(Array.from({ length: 120 }, () => ({ name: on("x") })));
      for (const id of ids) await ended(id);
      broken = false;
      const made = await replay(scenario, {
        function_id: slug("rep"),
        name: "Bug fix 958",
        from,
        until: new Date().toISOString(),
        statuses: ["Failed"],
      });
      expect(made).toMatchObject({ name: "Bug fix 958", status: "running" });
      const done = await replayed(scenario, made.id);
      expect(done).toMatchObject({
        status: "completed",
        total: 120,
        started: 120,
        remaining: 0,
        ended: { completed: 120, failed: 0, cancelled: 0 },
      });
      const starts: number[] = [];
      for (const id of ids) {
        const [again, original, ...others] = await engine.runsOf(id);
        expect(others).toEqual([]);
        expect(original).toMatchObject({ status: "Failed", replay_id: null });
        expect(again).toMatchObject({
          status: "Completed",
          output: "fixed",
          original_run_id: original?.run_id,
          replay_id: made.id,
        });
        starts.push(Date.parse(again?.queued_at ?? ""));
      }
      starts.sort((a, b) => a - b);
      expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(2000);
      for (const [i, start] of starts.entries())
        expect((starts[i + 50] ?? start + 1000) - start).toBeGreaterThanOrEqual(1000);
    },
  },
  {
    id: "SC-133",
    title: "What a pause skipped is replayed",
    proves: ["CR-14", "CR-17", "CR-20", "CR-25", "CR-22"],
    async run(scenario) {
      const { app, fn, on, send, trigger, finished, slug, api, mark, names, pause, until } = scenario;
      await app([fn<{ n: number }>("pausable", on("x"), ({ event }) => mark(`ps:${event.data.n}`))]);
      await api("POST", `/v1/functions/${slug("pausable")}/pause`, { running: "hold" });
      const from = new Date().toISOString();
      const ids = await send([1, 2, 3].map((n) => ({ name: on("x"), data: { n } })));
      const chosen = { function_id: slug("pausable"), name: "missed", from, statuses: ["Skipped"] };
      const early = await api("POST", "/v1/replays", chosen);
      expect(early).toMatchObject({
        status: 409,
        json: { code: "conflict", error: expect.stringContaining("paused") },
      });
      await api("POST", `/v1/functions/${slug("pausable")}/resume`);
      const wish = { ...chosen, until: new Date().toISOString() };
      await finished(await trigger(on("x"), { n: 4 }));
      expect(await previewOf(scenario, wish)).toBe(3);
      await pause(500);
      expect(names("ps:")).toEqual(["ps:4"]);
      const { id } = await replay(scenario, wish);
      await until(() => names("ps:").length === 4);
      expect(await replayed(scenario, id)).toMatchObject({ status: "completed", total: 3, ended: { completed: 3 } });
      expect(names("ps:").sort()).toEqual(["ps:1", "ps:2", "ps:3", "ps:4"]);
      for (const event of ids) {
        expect(await scenario.ended(event, 2)).toMatchObject([{ status: "Completed" }, { status: "Skipped" }]);
      }
    },
  },
  {
    id: "CR-22",
    title: "By status, time and expression over event and output; a preview of nothing cannot be started",
    proves: ["CR-22", "API-13", "XP-1"],
    async run(scenario) {
      const { app, fn, on, send, ended, slug, api, until, names, mark } = scenario;
      await app([
        fn<{ n: number; fail: boolean }>({ id: "f", retries: 0 }, on("x"), ({ event }) => {
          mark(`f:${event.data.n}`);
          if (event.data.fail) throw new Error(`bug ${event.data.n}`);
          return { n: event.data.n };
        }),
      ]);
      const earlier = await send([{ name: on("x"), data: { n: 0, fail: true } }]);
      await ended(earlier[0] ?? "");
      await scenario.pause(50);
      const from = new Date().toISOString();
      const events = [1, 2, 3, 4, 5].map((n) => ({ name: on("x"), data: { n, fail: n > 2 } }));
      for (const id of await send(events)) await ended(id);
      const until_ = new Date().toISOString();
      const chosen = { function_id: slug("f"), from, until: until_ };
      const count = (over: object) => previewOf(scenario, { ...chosen, ...over });
      // History lags behind by a second or two.
      await until(async () => (await count({ statuses: ["Failed", "Succeeded"] })) === 5);
      expect(await count({ statuses: ["Failed"] })).toBe(3);
      expect(await count({ statuses: ["Succeeded"] })).toBe(2);
      expect(await count({ statuses: ["failed", "completed"] })).toBe(5);
      expect(await count({ statuses: ["Canceled", "Skipped"] })).toBe(0);
      expect(await count({ statuses: ["Failed"], from: undefined })).toBe(4);
      expect(await count({ statuses: ["Failed"], until: from, from: undefined })).toBe(1);
      expect(await count({ statuses: ["Failed"], if: "event.data.n > 3" })).toBe(2);
      expect(await count({ statuses: ["Failed"], if: "output.message == 'bug 4'" })).toBe(1);
      expect(await count({ statuses: ["Succeeded"], if: "output.n == 2" })).toBe(1);
      expect(await count({ statuses: ["Failed"], if: "output.nothing" })).toBe(0);

      const nothing = { ...chosen, name: "none", statuses: ["Failed"], if: "event.data.n > 99" };
      expect(await api("POST", "/v1/replays", nothing)).toMatchObject({ status: 409, json: { code: "conflict" } });
      const before = names("f:").length;
      const { id } = await replay(scenario, { ...chosen, statuses: ["Failed"], if: "event.data.n != 4" });
      const done = await replayed(scenario, id);
      expect(done).toMatchObject({ total: 2, started: 2, ended: { completed: 0, failed: 2 } });
      expect(names("f:").slice(before).sort()).toEqual(["f:3", "f:5"]);
      const list = listSchema.parse((await api("GET", "/v1/replays?limit=100")).json).data;
      expect(list.filter((one) => one.id === id)).toMatchObject([{ name: "again", status: "completed", total: 2 }]);
      // What was replayed is not chosen again by the same range: it is younger.
      expect(await count({ statuses: ["Failed"] })).toBe(3);
    },
  },
  {
    id: "CR-25",
    title: "What a pause cancelled is replayed too, batches with all their events",
    proves: ["CR-25", "CR-16", "CR-21"],
    sdks: ["v4"],
    async run(scenario) {
      const { app, fn, on, send, trigger, ended, slug, api, until, engine } = scenario;
      let long = true;
      await app([
        fn("held", on("x"), async ({ step }) => {
          await step.sleep("s", long ? "1h" : "1s");
          return "done";
        }),
        fn<{ n: number }>(
          { id: "b", batchEvents: { maxSize: 2, timeout: "30s" }, retries: 0 },
          on("b"),
          ({ events }) => {
            if (long) throw new Error("bug");
            return events.map(({ data }) => data.n);
          },
        ),
      ]);
      const asleep = await trigger(on("x"));
      await until(async () => (await engine.runsOf(asleep))[0]?.status === "Running");
      await api("POST", `/v1/functions/${slug("held")}/pause`, { running: "cancel" });
      await ended(asleep);
      const skipped = await trigger(on("x"));
      await api("POST", `/v1/functions/${slug("held")}/resume`);
      const batch = await send([1, 2].map((n) => ({ name: on("b"), data: { n } })));
      for (const id of batch) await ended(id);
      long = false;
      const wish = { function_id: slug("held"), statuses: ["Skipped", "Canceled"] };
      await until(async () => (await previewOf(scenario, wish)) === 2);
      const both = [
        await replay(scenario, wish),
        await replay(scenario, { function_id: slug("b"), statuses: ["Failed"] }),
      ];
      for (const { id } of both) expect(await replayed(scenario, id)).toMatchObject({ status: "completed" });
      for (const event of [asleep, skipped]) {
        expect(await ended(event, 2)).toMatchObject([{ status: "Completed", output: "done" }, {}]);
      }
      const [again] = await ended(batch[0] ?? "", 2);
      expect(again).toMatchObject({ status: "Completed", output: [1, 2], replay_id: both[1]?.id });
      expect([...(again?.event_ids ?? [])].sort()).toEqual([...batch].sort());
    },
  },
  {
    id: "CR-24",
    title:
      "A replay shows how its runs end, waits for the last, and what it has not started is dropped when it is stopped",
    proves: ["CR-24", "CR-28", "API-6"],
    sdks: ["v4"],
    alone: true,
    async run(scenario) {
      const { app, fn, on, send, ended, slug, api, until, trigger, finished, names, mark } = scenario;
      let phase: "fail" | "mixed" = "fail";
      await app([
        fn<{ n: number }>({ id: "f", retries: 0 }, on("x"), async ({ event, step, runId }) => {
          if (phase === "fail") throw new Error("bug");
          mark(`again:${event.data.n}:${runId}`);
          if (event.data.n === 0) await step.waitForEvent("w", { event: on("go"), timeout: "1h" });
          if (event.data.n === 1) throw new Error("still");
        }),
        fn("live", on("live"), () => Date.now()),
      ]);
      const ids = await send(Array.from({ length: 150 }, (_, n) => ({ name: on("x"), data: { n } })));
      for (const id of ids) await ended(id);
      phase = "mixed";
      const few = { function_id: slug("f"), statuses: ["Failed"], if: "event.data.n < 4", request_id: "once" };
      await until(async () => (await previewOf(scenario, few)) === 4);
      const [first, second] = await Promise.all([replay(scenario, few), replay(scenario, few)]);
      expect(second.id).toBe(first.id);
      const almost = await until(async () => {
        const now = await replayNow(scenario, first.id);
        return now.remaining === 1 ? now : null;
      }, 60_000);
      expect(almost).toMatchObject({ status: "running", started: 4, ended: { completed: 2, failed: 1 } });
      await trigger(on("go"));
      expect(await replayed(scenario, first.id)).toMatchObject({
        status: "completed",
        ended: { completed: 3, failed: 1 },
      });
      expect(new Set(names("again:")).size).toBe(4);

      const many = await replay(scenario, { function_id: slug("f"), statuses: ["Failed"], if: "event.data.n > 3" });
      const sent = Date.now();
      const live = await finished(await trigger(on("live")));
      expect(Number(live.output) - sent).toBeLessThan(5000);
      await until(async () => (await replayNow(scenario, many.id)).started > 0);
      expect(await api("DELETE", `/v1/replays/${many.id}`)).toMatchObject({ status: 200, json: { ok: true } });
      const stopped = await replayNow(scenario, many.id);
      expect(stopped.status).toBe("stopped");
      await scenario.pause(1500);
      const settled = await until(async () => {
        const now = await replayNow(scenario, many.id);
        return now.remaining === 0 ? now : null;
      });
      expect(settled.started).toBeLessThan(146);
      expect(settled).toMatchObject({ status: "stopped", total: 146, dropped: 146 - settled.started });
      expect(new Set(names("again:")).size).toBe(4 + settled.started);
      expect((await api("DELETE", `/v1/replays/${many.id}`)).status).toBe(200);
    },
  },
  {
    id: "CR-23",
    title: "Live events go before replayed runs that stand in the same line",
    proves: ["CR-23", "FC-8"],
    sdks: ["v4"],
    async run(scenario) {
      const { app, fn, on, send, ended, slug, until, mark, names, pause, trigger, finished } = scenario;
      let broken = true;
      await app([
        fn<{ n: number }>({ id: "f", retries: 0, concurrency: 1 }, on("x"), async ({ event, step }) => {
          if (broken) throw new Error("bug");
          await step.run("w", async () => {
            mark(`w:${event.data.n}`);
            await pause(200);
          });
        }),
      ]);
      const ids = await send(Array.from({ length: 20 }, (_, n) => ({ name: on("x"), data: { n } })));
      for (const id of ids) await ended(id);
      broken = false;
      const wish = { function_id: slug("f"), statuses: ["Failed"] };
      await until(async () => (await previewOf(scenario, wish)) === 20);
      const { id } = await replay(scenario, wish);
      await until(() => names("w:").length >= 3);
      await finished(await trigger(on("x"), { n: 100 }));
      const at = names("w:").indexOf("w:100");
      // At most what was executing, and one that was about to, went before it; many were waiting.
      expect(at).toBeGreaterThan(0);
      expect(at).toBeLessThan(12);
      expect(await replayed(scenario, id)).toMatchObject({ ended: { completed: 20 } });
      expect(names("w:")).toHaveLength(21);
    },
  },
  {
    id: "CR-22b",
    title: "What cannot be replayed is refused, each with its own code",
    proves: ["CR-22", "API-4"],
    sdks: ["v4"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, slug, api, until } = scenario;
      await app([fn({ id: "f", retries: 0 }, on("x"), () => 1)]);
      await endedRun(scenario, (await finished(await trigger(on("x")))).run_id);
      const good = { function_id: slug("f"), name: "n", statuses: ["Succeeded"] };
      await until(async () => (await previewOf(scenario, good)) === 1);
      const later = new Date(Date.now() + 60_000).toISOString();
      for (const [over, code] of [
        [{ statuses: [] }, "invalid_request"],
        [{ statuses: ["Running"] }, "invalid_request"],
        [{ statuses: undefined }, "invalid_request"],
        [{ name: " " }, "invalid_request"],
        [{ name: "x".repeat(300) }, "invalid_request"],
        [{ from: "yesterday" }, "invalid_request"],
        [{ from: later, until: new Date().toISOString() }, "invalid_request"],
        [{ dry_run: "yes" }, "invalid_request"],
        [{ function_id: "" }, "invalid_request"],
        [{ if: "event.data.n >" }, "expression_invalid"],
        [{ if: "async.data.n == 1" }, "expression_invalid"],
      ] as const) {
        expect(await api("POST", "/v1/replays", { ...good, ...over })).toMatchObject({ status: 400, json: { code } });
      }
      for (const dry_run of [true, false]) {
        const unknown = await api("POST", "/v1/replays", { ...good, function_id: "nobody", dry_run });
        expect(unknown).toMatchObject({ status: 404, json: { code: "function_not_found" } });
      }
      for (const [method, id] of [
        ["GET", "nobody"],
        ["GET", "01ARZ3NDEKTSV4RRFFQ69G5FAV"],
        ["DELETE", "nobody"],
      ] as const) {
        expect(await api(method, `/v1/replays/${id}`)).toMatchObject({ status: 404, json: { code: "not_found" } });
      }
      expect((await api("POST", `/v1/functions/${slug("f")}/archive`)).status).toBe(200);
      const archived = await api("POST", "/v1/replays", good);
      expect(archived).toMatchObject({
        status: 409,
        json: { code: "conflict", error: expect.stringContaining("archived") },
      });
    },
  },
];
