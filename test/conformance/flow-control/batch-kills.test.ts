/**
 * kill -9 of the engine while batches fill and debounce windows are open (FC-36, FC-24): every accepted event is in exactly one run of the
 * batched function, and every key's last event has run.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestEngine, type TestEngine } from "../harness/engine.ts";
import { type OpenScenario, openScenario } from "../harness/scenario.ts";

const SENDERS = 4;
const KEYS = 3;

let engine: TestEngine;
let open: OpenScenario | null = null;

beforeAll(async () => {
  engine = await startTestEngine();
});

afterAll(async () => {
  await open?.close();
  await engine?.stop();
});

/** Sends events under one seed until the engine has accepted them, as an SDK does. */
async function insist(events: readonly object[]): Promise<void> {
  const entropy = Buffer.from(crypto.getRandomValues(new Uint8Array(10))).toString("base64");
  const headers = { "x-inngest-event-id-seed": `${Date.now()},${entropy}` };
  for (;;) {
    const accepted = await engine.api("POST", "/e/test", events, headers).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (accepted) return;
    await sleep(50);
  }
}

test("FC-36, FC-24: kills while windows fill neither drop nor double an event", { timeout: 120_000 }, async () => {
  open = openScenario(engine, "kills", "v4");
  const { app, fn, on, until } = open.scenario;
  /** By run: what it was given, each time its code ran. */
  const runs = new Map<string, number[]>();
  const finals = new Map<string, Set<number>>();
  await app([
    fn<{ n: number }>(
      { id: "batched", batchEvents: { maxSize: 7, timeout: "2s" }, retries: 10 },
      on("x"),
      ({ events, runId }) => {
        const given = events.map(({ data }) => data.n);
        expect(runs.get(runId) ?? given).toEqual(given);
        runs.set(runId, given);
      },
    ),
    fn<{ n: number; key: number }>(
      { id: "debounced", debounce: { period: "2s", key: "event.data.key" }, retries: 10 },
      on("x"),
      ({ event, runId }) => {
        finals.set(runId, new Set([...(finals.get(runId) ?? []), event.data.n]));
      },
    ),
  ]);
  let next = 0;
  let sending = true;
  const sender = async () => {
    while (sending) {
      const events = Array.from({ length: 1 + (next % 5) }, () => {
        const n = next++;
        return { name: on("x"), data: { n, key: n % KEYS } };
      });
      await insist(events);
      await sleep(30);
    }
  };
  const senders = Array.from({ length: SENDERS }, sender);
  for (const downFor of [0, 200, 1000, 50]) {
    await sleep(900);
    await engine.kill();
    await sleep(downFor);
    await engine.boot();
  }
  await sleep(500);
  sending = false;
  await Promise.all(senders);

  const sent = Array.from({ length: next }, (_, n) => n);
  await until(() => [...runs.values()].flat().length >= sent.length);
  await sleep(3000);
  const members = [...runs.values()].flat();
  expect(members.toSorted((a, b) => a - b)).toEqual(sent);
  for (const given of runs.values()) expect(given.length).toBeLessThanOrEqual(7);

  await until(() => {
    const ran = [...finals.values()].flatMap((numbers) => [...numbers]);
    return Array.from({ length: KEYS }, (_, key) => key).every((key) => ran.some((n) => n % KEYS === key));
  });
  // A run is given the same event however often it is tried.
  expect([...finals.values()].every((numbers) => numbers.size === 1)).toBe(true);
});
