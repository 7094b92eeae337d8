/**
 * Chains of runs and events (SE-18) from the request to history: what is started, what only stored, and what says so.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { router } from "../../src/api/router.ts";
import type { Bindings } from "../../src/bindings.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import { findEvent } from "../../src/history/events.ts";
import { runIdFor } from "../../src/ids.ts";
import { CHAIN, FANOUT } from "../../src/limits.ts";
import { runStub } from "../../src/objects.ts";
import { bindings } from "./records.ts";
import { muteApps, registerFunctions } from "./registered.ts";

beforeAll(async () => {
  muteApps();
  await registerFunctions(bindings.DB, LOCAL.id, { loop: ["chain/again"] });
});

/** Sends events as a run would that so many runs led to, less one; gives their internal ids. */
async function send(depth: number, count = 1, env: Bindings = bindings): Promise<string[]> {
  const events = Array.from({ length: count }, () => ({ name: "chain/again" }));
  const headers = { tracestate: `vendor=1,millrace=${depth}` };
  const request = new Request("http://engine/e/key", { method: "POST", body: JSON.stringify(events), headers });
  const reply = await router.fetch(request, env);
  expect(reply.status).toBe(200);
  // The Event API's reply, just checked.
  return ((await reply.json()) as { ids: string[] }).ids;
}

const identityOf = async (eventId: string) =>
  (await runStub(bindings, LOCAL.id, await runIdFor(LOCAL.id, "id-of-loop", eventId)).origin([]))?.identity;

/** The event as history has it, once what became of it is recorded there. */
async function routed(eventId: string) {
  for (;;) {
    const event = await findEvent(bindings.DB, LOCAL.id, eventId);
    if (event?.routed === true) return event;
    await scheduler.wait(50);
  }
}

describe("SE-18: a chain of runs", () => {
  it("is counted: a run knows how many led to it", async () => {
    const [outside = "", inside = ""] = [...(await send(0)), ...(await send(7))];
    expect((await identityOf(outside))?.depth).toBe(0);
    expect((await identityOf(inside))?.depth).toBe(7);
  });

  it("shows a warning from 100 on", async () => {
    const [id = ""] = await send(CHAIN.warn);
    const identity = await identityOf(id);
    expect(identity?.events[0]?.outcomes).toMatchObject([
      { outcome: "started", warnings: [{ option: "event chain", reason: expect.stringContaining("100 runs") }] },
    ]);
    const [before = ""] = await send(CHAIN.warn - 1);
    expect((await identityOf(before))?.events[0]?.outcomes).toEqual([
      { functionId: "id-of-loop", functionSlug: "loop", outcome: "started", runId: expect.any(String) },
    ]);
  });

  it("stops at 1,000: the event is stored and starts nothing", async () => {
    const [last = ""] = await send(CHAIN.stop.default - 1);
    expect((await identityOf(last))?.depth).toBe(CHAIN.stop.default - 1);
    const [stopped = ""] = await send(CHAIN.stop.default);
    expect(await identityOf(stopped)).toBeUndefined();
    expect(await routed(stopped)).toMatchObject({
      event: { depth: CHAIN.stop.default, payload: { name: "chain/again" } },
      outcomes: [{ functionSlug: "loop", outcome: "skipped", reason: "event_loop" }],
    });
  });

  it("is not forgotten by a send that is fanned out later", async () => {
    const ids = await send(CHAIN.stop.default, FANOUT.inline + 1);
    const outcomes = await Promise.all(ids.map(async (id) => (await routed(id)).outcomes));
    expect(outcomes.flat().map((outcome) => "reason" in outcome && outcome.reason)).toEqual(
      ids.map(() => "event_loop"),
    );
    const inside = await send(12, FANOUT.inline + 1);
    await Promise.all(inside.map(routed));
    expect((await identityOf(inside.at(-1) ?? ""))?.depth).toBe(12);
  });

  it("stops where the deployment's setting says", async () => {
    const strict: Bindings = { ...bindings, MILLRACE_MAX_CHAIN: "5" };
    expect(await identityOf((await send(4, 1, strict))[0] ?? "")).toMatchObject({ depth: 4 });
    expect(await identityOf((await send(5, 1, strict))[0] ?? "")).toBeUndefined();
  });
});

describe("SE-18: a key that sends too much", () => {
  const cloud: Bindings = {
    ...bindings,
    MILLRACE_MODE: "cloud",
    INNGEST_SIGNING_KEY: "ab".repeat(16),
    INNGEST_EVENT_KEY: "one,two",
    MILLRACE_EVENT_RATE: "1",
  };
  const post = (key: string) =>
    router.fetch(new Request(`http://engine/e/${key}`, { method: "POST", body: '{"name":"chain/nobody"}' }), cloud);

  it("is refused with 429 and a time to come again, and other keys are not", async () => {
    const replies: Response[] = [];
    // Enough for one of their seconds to see more than one.
    for (let n = 0; n < 60; n++) replies.push(await post("one"));
    const refused = replies.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(replies.every(({ status }) => status === 200 || status === 429)).toBe(true);
    expect(refused[0]?.headers.get("retry-after")).toBe("1");
    expect(await refused[0]?.json()).toMatchObject({ ids: [], status: 429, code: "rate_limited" });
    expect((await post("two")).status).toBe(200);
  });
});
