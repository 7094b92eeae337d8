/**
 * Sending events with the SDKs, and what of a sending app's mistakes the engine refuses (spec/01).
 */
import { expect } from "vitest";
import * as z from "zod";
import { type Case, conformance } from "../harness/cases.ts";
import type { Scenario } from "../harness/scenario.ts";

const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/;
const KIB = 1024;

/** The events of a name, as history lists them. */
async function listed({ api }: Scenario, name: string): Promise<unknown> {
  const { json } = await api("GET", `/v1/events?limit=100&name=${encodeURIComponent(name)}`);
  return json;
}

/** What an SDK threw, as text; fails when it did not. */
async function refusalOf(sending: Promise<unknown>): Promise<string> {
  const outcome: unknown = await sending.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(outcome instanceof Error)) throw new Error("The events were accepted");
  return outcome.message;
}

const sending: readonly Case[] = [
  {
    id: "SC-2",
    title: "Several events in one call",
    proves: ["EV-1", "EV-6", "API-7"],
    async run({ send, on, engine }) {
      const ids = await send([
        { name: on("invoice.paid"), data: { n: 1 } },
        { name: on("invoice.paid"), data: { n: 2 } },
        { name: on("other"), data: { n: 3 } },
      ]);
      expect(ids).toHaveLength(3);
      expect(new Set(ids).size).toBe(3);
      for (const id of ids) expect(id).toMatch(ULID);
      expect(await engine.event(ids[1] ?? "")).toMatchObject({ name: on("invoice.paid"), data: { n: 2 } });
    },
  },
  {
    id: "SC-4",
    title: "One bad event refuses the request",
    proves: ["EV-3", "EV-4"],
    sdks: ["v4"],
    async run(scenario) {
      const { api, on, until, trigger } = scenario;
      const bad = await api("POST", "/e/key", [
        { name: on("ok"), data: {} },
        { data: {} },
        { name: on("ok"), data: {} },
      ]);
      const wrong = await api("POST", "/e/key", { name: on("ok"), data: [1] });
      expect(bad).toMatchObject({ status: 400, json: { ids: [], status: 400, code: "event_invalid" } });
      expect(bad.json).toHaveProperty("error", expect.stringMatching(/\b1\b.*name/s));
      expect(wrong).toMatchObject({ status: 400, json: { code: "event_invalid" } });
      // Once a later event is listed, the refused ones would be too.
      await trigger(on("good"));
      await until(async () => JSON.stringify(await listed(scenario, on("good"))).includes("internal_id"));
      expect(await listed(scenario, on("ok"))).toMatchObject({ data: [] });
    },
  },
  {
    id: "SC-5",
    title: "Event limits",
    proves: ["EV-5"],
    async run(scenario) {
      const { send, on, until, trigger } = scenario;
      const small = (count: number, name: string) => Array.from({ length: count }, (_, i) => ({ name, data: { i } }));
      expect(await send(small(5000, on("bulk")))).toHaveLength(5000);
      expect(await refusalOf(send(small(5001, on("many"))))).toMatch(/5,?000/);

      const pad = (length: number) => on("").padEnd(length, "n");
      expect(await send({ name: pad(256), data: {} })).toHaveLength(1);
      expect(await refusalOf(send({ name: pad(257), data: {} }))).toContain("256");

      const big = { name: on("big"), data: { s: "x".repeat(KIB * KIB + 1) } };
      expect(await refusalOf(send(big))).toMatch(/1048576|1,048,576|1 MiB/);

      await trigger(on("last"));
      await until(async () => JSON.stringify(await listed(scenario, on("last"))).includes("internal_id"));
      for (const name of [on("many"), on("big")]) expect(await listed(scenario, name)).toMatchObject({ data: [] });
    },
  },
  {
    id: "SC-13",
    title: "Reserved names",
    proves: ["EV-9", "SE-18"],
    async run({ send }) {
      expect(await refusalOf(send({ name: "inngest/function.failed", data: {} }))).toContain("inngest/");
      expect(await refusalOf(send({ name: "Inngest/anything", data: {} }))).toContain("inngest/");
    },
  },
  {
    id: "SC-14",
    title: "Retried send",
    proves: ["EV-7"],
    async run({ api, app, fn, on, finished, pause, engine, mark, marks }) {
      await app([fn("on-seed", on("x"), () => mark("ran"))]);
      const seed = `${Date.now()},${Buffer.from(on("x").slice(-10).padEnd(10)).toString("base64")}`;
      const post = () => api("POST", "/e/key", [{ name: on("x"), data: {} }], { "x-inngest-event-id-seed": seed });
      const [one, two] = [await post(), await post()];
      expect(two.json).toEqual(one.json);
      const [id] = z.object({ ids: z.tuple([z.string()]) }).parse(one.json).ids;
      await finished(id);
      await pause(500);
      expect(await engine.runsOf(id)).toHaveLength(1);
      expect(marks("ran")).toHaveLength(1);
    },
  },
  {
    id: "SC-22",
    title: "Nothing listens",
    proves: ["EV-12"],
    async run({ trigger, on, engine }) {
      const id = await trigger(on("typo"));
      expect(await engine.event(id)).toMatchObject({ outcomes: [] });
      expect(await engine.runsOf(id)).toEqual([]);
    },
  },
];

const deduplication: readonly Case[] = [
  {
    id: "SC-7",
    title: "Duplicate id",
    proves: ["EV-15", "EV-16", "EV-12"],
    async run({ app, fn, on, send, appId, finished, engine, pause, mark, marks }) {
      await app([fn("on-checkout", [{ event: on("checkout") }, { event: on("other") }], () => mark("ran"))]);
      const id = `checkout-${appId}`;
      const [first] = await send({ id, name: on("checkout"), data: { v: 1 } });
      const again = await send([
        { id, name: on("checkout"), data: { v: 2 } },
        { id, name: on("other"), data: {} },
      ]);
      await finished(first ?? "");
      expect(await engine.event(again[0] ?? "")).toMatchObject({ duplicate: true, data: { v: 2 }, id });
      for (const duplicate of again) {
        expect(await engine.event(duplicate)).toMatchObject({
          duplicate: true,
          outcomes: [{ function_slug: `${appId}-on-checkout`, outcome: "skipped", reason: "duplicate_event" }],
        });
        expect(await engine.runsOf(duplicate)).toEqual([]);
      }
      await pause(500);
      expect(marks("ran")).toHaveLength(1);
    },
  },
  {
    id: "EV-16",
    title: "The first event's fan-out is complete, a duplicate sent with it adds nothing",
    proves: ["EV-16"],
    async run({ app, fn, on, send, appId, until, pause, mark, marks, names }) {
      await app(["a", "b", "c"].map((id) => fn(id, on("x"), () => mark(`ran:${id}`))));
      const event = { id: `same-${appId}`, name: on("x") };
      await Promise.all([send(event), send(event)]);
      await until(() => marks("ran:").length >= 3);
      await pause(1000);
      const ran = names("ran:");
      expect(ran.sort()).toEqual(["ran:a", "ran:b", "ran:c"]);
    },
  },
  {
    id: "SC-10",
    title: "Future start",
    proves: ["EV-10", "TR-1"],
    async run({ app, fn, on, send, finished, engine, mark, marks }) {
      await app([fn("later", on("x"), () => mark("later"))]);
      const due = Date.now() + 5000;
      const [id = ""] = await send({ name: on("x"), ts: due });
      expect(await engine.runsOf(id)).toMatchObject([{ status: "Scheduled", run_started_at: null }]);
      await finished(id);
      const [ran] = marks("later");
      expect(ran?.at).toBeGreaterThanOrEqual(due);
      expect(ran?.at).toBeLessThan(due + 2000);
    },
  },
  {
    id: "EX-6",
    title: "Event data reaches the handler unchanged, with the sender's id and the time of receipt",
    proves: ["EV-3", "EV-6", "EX-6", "EX-8"],
    async run({ app, fn, on, send, finished, appId }) {
      await app([
        fn("echo", on("x"), ({ event, events }) => ({
          event,
          same: JSON.stringify(events) === JSON.stringify([event]),
        })),
      ]);
      const data = {
        text: "grüße 你好 \u0001\ud83d\ude00",
        big: 1e21,
        small: -0.5,
        nested: { z: [], a: [{}, null, true] },
        "": "",
      };
      const before = Date.now();
      const [own = ""] = await send({ id: `own-${appId}`, name: on("x"), data, user: { plan: "pro" } });
      const [plain = ""] = await send({ name: on("x") });
      expect((await finished(own)).output).toMatchObject({
        event: { id: `own-${appId}`, name: on("x"), data, user: { plan: "pro" }, ts: expect.any(Number) },
        same: true,
      });
      const { output } = await finished(plain);
      expect(output).toMatchObject({ event: { id: plain, name: on("x"), data: {} }, same: true });
      const { ts } = z.object({ event: z.object({ ts: z.int() }) }).parse(output).event;
      expect(ts).toBeGreaterThanOrEqual(before);
      expect(ts).toBeLessThanOrEqual(Date.now());
    },
  },
];

conformance("Events", [...sending, ...deduplication]);
