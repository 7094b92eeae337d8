/**
 * Why a run is not moving: one run per cause, each of which must name its cause, its beginning and its end (BY-12).
 */
import { expect } from "vitest";
import * as z from "zod";
import { gate } from "../flow-control/gate.ts";
import { type Case, conformance } from "../harness/cases.ts";
import type { Scenario } from "../harness/scenario.ts";

const answer = z.object({
  data: z.object({
    run_id: z.string(),
    status: z.string(),
    causes: z.array(
      z.looseObject({
        cause: z.string(),
        sentence: z.string(),
        since: z.iso.datetime(),
        until: z.iso.datetime().nullable(),
        step: z.string().nullable(),
      }),
    ),
  }),
});

const HOUR = 3_600_000;

/** The causes of an event's one run. */
async function whyOf({ api, engine }: Scenario, eventId: string) {
  const [run] = await engine.runsOf(eventId);
  if (run === undefined) return [];
  return answer.parse((await api("GET", `/v1/runs/${run.run_id}/why`)).json).data.causes;
}

/** The first cause, once the run says this one. */
async function untilWhy(scenario: Scenario, eventId: string, cause: string) {
  return await scenario.until(async () => {
    const [first] = await whyOf(scenario, eventId);
    return first?.cause === cause ? first : null;
  });
}

function expectAbout(time: string | null | undefined, expected: number): void {
  expect(Math.abs(Date.parse(time ?? "") - expected)).toBeLessThan(20_000);
}

const why: readonly Case[] = [
  {
    id: "BY-12",
    title: "Waiting for time, an event, a signal, a child, a retry and a later start",
    proves: ["BY-12", "API-9"],
    async run(scenario) {
      const { app, fn, on, trigger, send } = scenario;
      const child = fn("child", on("never"), ({ step }) => step.sleep("long", "2h"));
      await app([
        child,
        fn("sleeps", on("sleeps"), ({ step }) => step.sleep("nap", "1h")),
        fn("waits", on("waits"), ({ step }) =>
          step.waitForEvent("answer", { event: on("yes"), if: "async.data.n == 1", timeout: "1h" }),
        ),
        fn("signalled", on("signalled"), ({ step }) =>
          step.waitForSignal("sign", { signal: "go", timeout: "1h", onConflict: "replace" }),
        ),
        fn("calls", on("calls"), ({ step }) => step.invoke("ask", { function: child.native, timeout: "1h" })),
        fn({ id: "fails", retries: 1 }, on("fails"), () => {
          throw new Error("no luck");
        }),
        fn("later", on("later"), () => null),
      ]);
      const begun = Date.now();
      const at = async (name: string, cause: string) => untilWhy(scenario, await trigger(on(name)), cause);
      const sleeping = await at("sleeps", "sleeping");
      expect(sleeping).toMatchObject({ step: "nap" });
      expect(sleeping.sentence).toMatch(/^It sleeps in step "nap" until \d{4}-/);
      expectAbout(sleeping.until, begun + HOUR);
      expectAbout(sleeping.since, begun);
      const event = await at("waits", "event");
      expect(event).toMatchObject({ step: "answer", event: on("yes"), condition: "async.data.n == 1" });
      expectAbout(event.until, begun + HOUR);
      expect(await at("signalled", "signal")).toMatchObject({ step: "sign", signal: "go" });
      expect(await at("calls", "child")).toMatchObject({ step: "ask", function_id: scenario.slug("child") });
      const retry = await at("fails", "retry");
      expect(retry).toMatchObject({ attempt: 1, error: { message: "no luck" } });
      expect(retry.sentence).toContain("no luck");
      const [future] = await send([{ name: on("later"), ts: begun + HOUR }]);
      expectAbout((await untilWhy(scenario, future ?? "", "scheduled")).until, begun + HOUR);
    },
  },
  {
    id: "BY-12b",
    title: "Waiting for a limit, the throttle, the app, and a paused function",
    proves: ["BY-12", "BY-10", "FC-12"],
    async run(scenario) {
      const { app, fn, on, trigger, until, api, slug, engine, finished } = scenario;
      const held = gate(Number.POSITIVE_INFINITY);
      await app([
        fn({ id: "one", concurrency: { limit: 1, key: "event.data.k" } }, on("one"), ({ step }) =>
          step.run("hold", held.enter),
        ),
        fn({ id: "slow", throttle: { limit: 1, period: "1h" } }, on("slow"), () => null),
        fn("paused", on("paused"), ({ step }) => step.sleep("nap", "1h")),
      ]);
      const holder = await trigger(on("one"), { k: "K" });
      await until(() => held.inside === 1);
      const call = await untilWhy(scenario, holder, "call");
      expect(call).toMatchObject({ attempt: 0 });
      expectAbout(call.until, Date.parse(call.since) + 14 * 60_000);
      const waiter = await trigger(on("one"), { k: "K" });
      const waiting = await untilWhy(scenario, waiter, "concurrency");
      const [holding] = await engine.runsOf(holder);
      expect(waiting).toMatchObject({
        line: { counts: "steps", scope: "fn", key: "K" },
        limit: 1,
        ahead: 0,
        holders: [{ run_id: holding?.run_id }],
      });
      expect(waiting.sentence).toContain(`for the key "K"; run ${holding?.run_id} holds it`);
      await finished(await trigger(on("slow")));
      const begun = Date.now();
      const throttled = await untilWhy(scenario, await trigger(on("slow")), "throttle");
      expectAbout(throttled.until, begun + HOUR);
      const sleeper = await trigger(on("paused"));
      await untilWhy(scenario, sleeper, "sleeping");
      await api("POST", `/v1/functions/${slug("paused")}/pause`);
      await untilWhy(scenario, sleeper, "paused");
      held.open();
      await finished(waiter);
      expect(await whyOf(scenario, waiter)).toEqual([]);
    },
  },
  {
    id: "BY-12c",
    title: "A run nobody knows",
    proves: ["BY-12"],
    sdks: ["v4"],
    async run({ api }) {
      expect(await api("GET", "/v1/runs/01JD00000000000000000000RN/why")).toMatchObject({
        status: 404,
        json: { code: "run_not_found" },
      });
    },
  },
];

conformance("Why a run is not moving", why, { retryInterval: 3600 });
