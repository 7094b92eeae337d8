/**
 * An app of an official SDK with a run of every kind, for whoever reads them over the API.
 */

import * as z from "zod";
import type { Scenario } from "../harness/scenario.ts";
import type { Data, SdkFunction } from "../harness/sdk.ts";

/** What there is to be read. */
export interface World {
  /** One run of each kind, ended unless its name says otherwise. */
  readonly runs: Readonly<Record<"completed" | "failed" | "cancelled" | "skipped" | "sleeping" | "waiting", string>>;
  /** Internal ids. */
  readonly events: Readonly<Record<"completed" | "unmatched" | "gathered", string>>;
  /** The serve URL. */
  readonly url: string;
}

/** The child and the one that waits for a signal included. */
const RUNS = 8;

/** Serves the app and makes its runs; resolves when each is where it should be. */
export async function populate(scenario: Scenario): Promise<World> {
  const { app, fn, on, slug, trigger, finished, engine, api, until, send } = scenario;
  const child = fn("child", on("never"), () => ({ child: true }));
  const functions: SdkFunction[] = [
    child,
    fn({ id: "completes", retries: 2, concurrency: { limit: 5 } }, on("completes"), async ({ event, step }) => {
      const first = await step.run("first", (n) => ({ at: n, name: "one" }), 1);
      await step.invoke("ask", { function: child.native, data: {} });
      return { first, data: event.data };
    }),
    fn({ id: "fails", retries: 1 }, on("fails"), async ({ step }) => {
      await step.run("breaks", () => {
        throw new Error("no luck");
      });
    }),
    fn("sleeps", on("sleeps"), ({ step }) => step.sleep("nap", "1h")),
    fn("waits", on("waits"), ({ step }) =>
      step.waitForEvent("answer", { event: on("yes"), if: "async.data.n == event.data.n", timeout: "1h" }),
    ),
    fn("signalled", on("signalled"), ({ step }) =>
      step.waitForSignal("sign", { signal: on("go"), timeout: "1h", onConflict: "replace" }),
    ),
    fn("cancelled", on("cancelled"), ({ step }) => step.sleep("nap", "1h")),
    fn("paused", on("paused"), () => null),
    fn({ id: "one-by-one", concurrency: [{ limit: 1, key: "event.data.key" }] }, on("one-by-one"), ({ step }) =>
      step.run("long", () => scenario.pause(100)),
    ),
    fn({ id: "gathers", debounce: { period: "1h" } }, on("gathers"), () => "gathered"),
    fn({ id: "ticks", retries: 0 }, { cron: "0 0 1 1 *" }, () => null),
  ];
  const { url } = await app(functions);

  const runIdOf = async (name: string, data: Data = {}): Promise<string> => {
    const eventId = await trigger(on(name), data);
    return await until(async () => (await engine.runsOf(eventId))[0]?.run_id);
  };
  const sent = { name: on("completes"), id: "sender-1", data: { n: 1 }, v: "2", user: { id: 7 } };
  const [completedEvent = ""] = await send({ ...sent, meta: { sessions: { chat: "c-1" } } });
  const [unmatched, gathered] = [await trigger(on("unmatched")), await trigger(on("gathers"), { k: 1 })];
  const [failed, sleeping, waiting, cancelled] = [
    await runIdOf("fails"),
    await runIdOf("sleeps"),
    await runIdOf("waits", { n: 5 }),
    await runIdOf("cancelled"),
  ];
  await runIdOf("signalled");
  await api("DELETE", `/v1/runs/${cancelled}`);
  await api("POST", `/v1/functions/${slug("paused")}/pause`);
  const skippedEvent = await trigger(on("paused"));
  const skipped = await until(async () => (await engine.runsOf(skippedEvent))[0]?.run_id);
  const { run_id: completed } = await finished(completedEvent);
  await until(async () => (await engine.run(failed)).status === "Failed");
  await until(async () => (await engine.run(sleeping)).status === "Running");
  // Lists are history's, which lags.
  const listed = async (status: string) => (await api("GET", `/v1/runs?limit=100&status=${status}`)).text;
  await until(async () => (await listed("Completed")).includes(completed));
  await until(async () => (await listed("Failed")).includes(failed));
  await until(async () => (await listed("Cancelled")).includes(cancelled));
  await until(async () => (await listed("Skipped")).includes(skipped));
  await until(async () => (await listed("Running")).includes(sleeping));
  const all = z.object({ data: z.array(z.unknown()) });
  await until(async () => all.parse((await api("GET", "/v1/runs?limit=100")).json).data.length === RUNS);
  return {
    runs: { completed, failed, cancelled, skipped, sleeping, waiting },
    events: { completed: completedEvent, unmatched, gathered },
    url,
  };
}
