/**
 * Two environments that have everything in common but their ids (SE-8, I8, row 30): the same app, functions, events, ids, keys, signals
 * and channels. What is done in one is seen in that one alone; the other's canary never appears.
 */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { pauseFunction, readPause } from "../../../src/apps/pauses.ts";
import { MillraceError } from "../../../src/errors.ts";
import { acceptEvents } from "../../../src/events/accept.ts";
import type { EventPayload } from "../../../src/events/event.ts";
import { ingest } from "../../../src/events/ingest.ts";
import { invoke } from "../../../src/events/invoke.ts";
import { findEvent } from "../../../src/history/events.ts";
import { readRun } from "../../../src/history/read.ts";
import { findRun } from "../../../src/history/runs.ts";
import { ensureSchema } from "../../../src/history/schema.ts";
import { newUlid, runIdFor } from "../../../src/ids.ts";
import { EVENT } from "../../../src/limits.ts";
import { capacityStub, channelStub, runStub, waitsStub, windowStub } from "../../../src/objects.ts";
import { beginOperation, readOperation, stopOperation } from "../../../src/operations/operation.ts";
import { checkOutputToken, checkRealtimeToken, outputToken, realtimeToken } from "../../../src/protocol/token.ts";
import { publish } from "../../../src/realtime/publishing.ts";
import { subscribe } from "../../../src/realtime/subscribing.ts";
import { cancelRun } from "../../../src/runs/cancel.ts";
import { rerun } from "../../../src/runs/rerun.ts";
import { settingsOf } from "../../../src/settings.ts";
import { bindings } from "../records.ts";
import { registerFunctions } from "../registered.ts";
import { playApp } from "./app.ts";
import { inDatabase, inObjects, type Kept } from "./contents.ts";

/** ms; a busy machine may take its time. */
const PATIENCE = 20_000;
const HOUR = 60 * 60 * 1000;

/** One of the two, and what only it may know. */
interface Neighbour {
  readonly id: string;
  readonly canary: string;
}

/** Declares the tests for two environments, which nobody used before. */
export function neighbours(firstId: string, secondId: string): void {
  const here: Neighbour = { id: firstId, canary: "canary-of-the-first" };
  const there: Neighbour = { id: secondId, canary: "canary-of-the-second" };
  const both = [here, there] as const;
  const settings = settingsOf(bindings);

  beforeAll(async () => {
    await ensureSchema(bindings.DB);
    playApp({
      waiter: ({ steps, event }) =>
        "go" in steps
          ? { output: { own: event.data["canary"], heard: steps["go"] } }
          : { ops: [{ id: "go", op: "WaitForEvent", name: "shared/go", opts: { event: "shared/go", timeout: "1h" } }] },
      asker: ({ steps, event }) =>
        "answer" in steps
          ? { output: { own: event.data["canary"], heard: steps["answer"] } }
          : { ops: [{ id: "answer", op: "WaitForSignal", opts: { signal: "shared-signal", timeout: "1h" } }] },
      sleeper: () => ({ ops: [{ id: "long", op: "Sleep", name: "1h", opts: {} }] }),
      echo: ({ event }) => ({ output: event.data["canary"] }),
    });
    for (const { id } of both) {
      const on = { waiter: ["shared/wait"], asker: ["shared/ask"], sleeper: ["shared/sleep"], echo: ["shared/echo"] };
      await registerFunctions(bindings.DB, id, on);
    }
  });

  /** Sends an event with the environment's canary; gives its internal id. */
  async function send({ id, canary }: Neighbour, name: string, more: Partial<EventPayload> = {}): Promise<string> {
    const now = Date.now();
    const seed = { "x-inngest-event-id-seed": `${now},AAECAwQFBgcICQ==` };
    const body = JSON.stringify({ name, data: { canary }, ...more });
    const events = acceptEvents(body, new Headers(more.id === undefined ? {} : seed), {
      now,
      maxEventBytes: EVENT.bytes.default,
    });
    await ingest(bindings, id, events, now);
    return events[0]?.internalId ?? "";
  }

  const runIdOf = ({ id }: Neighbour, slug: string, eventId: string) => runIdFor(id, `id-of-${slug}`, eventId);

  /** Resolves with the run's row when it is as it must be. */
  async function runAs({ id }: Neighbour, runId: string, expected: object) {
    return await vi.waitFor(async () => {
      const view = await runStub(bindings, id, runId).view();
      expect(view?.row).toMatchObject(expected);
      return view;
    }, PATIENCE);
  }

  async function refusal(action: Promise<unknown>): Promise<string> {
    const thrown = await action.then(
      () => null,
      (error: unknown) => error,
    );
    if (!(thrown instanceof MillraceError)) throw new Error(`not refused, but ${String(thrown)}`);
    return thrown.code;
  }

  describe("SE-8, row 30: two environments with the same names", () => {
    it("have runs of their own, also for an event with the same id", async () => {
      const ids = await Promise.all(both.map((one) => send(one, "shared/echo", { id: "order-1" })));
      const runIds = await Promise.all(both.map((one, at) => runIdOf(one, "echo", ids[at] ?? "")));
      expect(new Set(runIds).size).toBe(2);
      for (const [at, one] of both.entries()) {
        await runAs(one, runIds[at] ?? "", { status: "completed", output: one.canary });
        const event = await vi.waitFor(async () => {
          const found = await findEvent(bindings.DB, one.id, "order-1");
          expect(found).not.toBeNull();
          return found;
        }, PATIENCE);
        expect(event?.event.payload.data).toEqual({ canary: one.canary });
        expect(event?.duplicate).toBe(false);
      }
    });

    it("resolve waits of their own", async () => {
      const ids = await Promise.all(both.map((one) => send(one, "shared/wait")));
      const [mine = "", theirs = ""] = await Promise.all(both.map((one, at) => runIdOf(one, "waiter", ids[at] ?? "")));
      for (const [one, runId] of [
        [here, mine],
        [there, theirs],
      ] as const) {
        await vi.waitFor(async () => {
          const view = await runStub(bindings, one.id, runId).view();
          expect(view?.jobs.some(({ kind }) => kind === "wait")).toBe(true);
        }, PATIENCE);
      }
      // Until the wait has reached the place where events arrive.
      await vi.waitFor(
        async () => {
          await send(there, "shared/go");
          const view = await runStub(bindings, there.id, theirs).view();
          expect(view?.row.status).toBe("completed");
        },
        { timeout: PATIENCE, interval: 300 },
      );
      const done = await runAs(there, theirs, { output: { own: there.canary } });
      expect(JSON.stringify(done?.row.output)).not.toContain(here.canary);
      expect((await runStub(bindings, here.id, mine).view())?.row.status).toBe("running");
    });

    it("send signals of their own", async () => {
      const ids = await Promise.all(both.map((one) => send(one, "shared/ask")));
      const [mine = "", theirs = ""] = await Promise.all(both.map((one, at) => runIdOf(one, "asker", ids[at] ?? "")));
      const signal = ({ id, canary }: Neighbour) =>
        waitsStub(bindings, id, "signal", "shared-signal").signal({ canary });
      await vi.waitFor(async () => expect(await signal(here)).toBe(mine), PATIENCE);
      await runAs(here, mine, { status: "completed", output: { own: here.canary } });
      expect(await signal(here)).toBeNull();
      expect((await runStub(bindings, there.id, theirs).view())?.row.status).toBe("running");
      await vi.waitFor(async () => expect(await signal(there)).toBe(theirs), PATIENCE);
    });

    it("count limits, keys and repeated requests for themselves", async () => {
      const owner = { functionId: "id-of-echo", key: "shared-key" };
      const now = Date.now();
      const answers = both.map(async ({ id, canary }) => {
        const once = await windowStub(bindings, id, "idempotency", owner);
        const first = await (await windowStub(bindings, id, "request", owner)).first(canary);
        const only = { limit: 1, period: HOUR };
        return [await once.pass("a", now, only), await once.pass("b", now, only), first];
      });
      expect(await Promise.all(answers)).toEqual(both.map(({ canary }) => [true, false, canary]));
      const line = { counts: "steps", scope: "env", functionId: "", expression: "k", key: "shared-key" } as const;
      for (const { id } of both) {
        const stub = await capacityStub(bindings, id, line);
        const held = await stub.claim(line, {
          environmentId: id,
          runId: newUlid(now),
          functionId: "id-of-echo",
          fence: { sequence: 1, stamp: now },
          busy: 0,
          wants: 1,
          place: { rank: 0, score: now, tie: "a" },
          limit: { version: 1, limit: 1, period: 0, burst: 0 },
        });
        expect(held.held, "the neighbour's unit is none of this line").toBe(1);
      }
    });

    it("know nothing of each other's runs, events and operations, and can do nothing to them", async () => {
      const eventId = await send(here, "shared/sleep");
      const runId = await runIdOf(here, "sleeper", eventId);
      await runAs(here, runId, { status: "running" });
      await vi.waitFor(async () => expect(await findRun(bindings.DB, here.id, runId)).not.toBeNull(), PATIENCE);
      expect(await readRun(bindings, there.id, runId)).toBeNull();
      expect(await findRun(bindings.DB, there.id, runId)).toBeNull();
      expect(await findEvent(bindings.DB, there.id, eventId)).toBeNull();
      const stranger = runStub(bindings, there.id, runId);
      expect([await stranger.events(), await stranger.actions(), await stranger.why()]).toEqual([null, null, null]);
      expect(await stranger.annotate([{ stepId: null, kind: "userland.a", op: "set", values: {} }])).toBe("unknown");
      await stranger.resolve("long", { data: there.canary });
      expect(await refusal(cancelRun(bindings, there.id, runId, { by: "api" }))).toBe("run_not_found");
      const wish = { runId: newUlid(Date.now()), originalRunId: runId, fromStep: null, input: null };
      expect(await refusal(rerun(bindings, there.id, wish, Date.now()))).toBe("run_not_found");

      const now = Date.now();
      const operation = {
        id: newUlid(now),
        kind: "cancel",
        createdAt: now,
        after: null,
        before: now,
        condition: null,
      } as const;
      const about = { app: { id: "app-id", name: "shop" }, function: { id: "id-of-nobody", slug: "nobody" } };
      await beginOperation(bindings, { ...operation, ...about, environmentId: here.id });
      expect(await readOperation(bindings, there.id, "cancel", operation.id)).toBeNull();
      expect(await stopOperation(bindings, there.id, "cancel", operation.id)).toBeNull();
      expect((await readOperation(bindings, here.id, "cancel", operation.id))?.status).toBe("running");
      expect((await runStub(bindings, here.id, runId).view())?.row.status).toBe("running");
    });

    it("pause and invoke functions of their own", async () => {
      await pauseFunction(bindings, here.id, "id-of-echo", { running: "hold", now: Date.now() });
      expect(await readPause(bindings.DB, there.id, "id-of-echo")).toEqual(
        await readPause(bindings.DB, there.id, "id-of-waiter"),
      );
      const invocation = (one: Neighbour) => ({
        slug: "id-of-echo",
        body: JSON.stringify({ data: { canary: one.canary } }),
        headers: new Headers(),
      });
      const limits = { now: Date.now(), maxEventBytes: EVENT.bytes.default };
      expect(await invoke(bindings, here.id, invocation(here), limits)).toMatchObject({ skipped: "function_paused" });
      const invoked = await invoke(bindings, there.id, invocation(there), limits);
      await runAs(there, invoked.runId ?? "", { status: "completed", output: there.canary });
    });

    it("hear messages of their own channels, with tokens of their own", async () => {
      const now = Date.now();
      const grant = { right: "subscribe", channel: "shared", topics: ["news"] } as const;
      const [own, foreign] = await Promise.all(both.map(({ id }) => realtimeToken(settings, id, grant, now)));
      expect(await checkRealtimeToken(settings, here.id, own ?? "", now)).toEqual(grant);
      expect(await refusal(checkRealtimeToken(settings, here.id, foreign ?? "", now))).toBe("unauthorized");
      const runId = newUlid(now);
      const result = await outputToken(settings, there.id, runId, now);
      expect(await refusal(checkOutputToken(settings, here.id, runId, result, now))).toBe("unauthorized");

      const { webSocket } = await subscribe(bindings, here.id, { channel: "shared", topics: ["news"] }, "socket");
      if (webSocket === null) throw new Error("no socket");
      const heard: string[] = [];
      webSocket.addEventListener("message", ({ data }) => {
        heard.push(String(data));
      });
      webSocket.accept();
      // A token of the neighbour's opens nothing here, not even on a connection that is open already.
      webSocket.send(JSON.stringify({ kind: "sub", data: foreign }));
      const target = { channel: "shared", topics: ["news"], runId: null, metadata: null };
      for (const { id, canary } of [there, here]) {
        const body = JSON.stringify({ canary });
        await publish(bindings, id, target, new Request("http://engine/", { method: "POST", body }));
      }
      await vi.waitFor(() => expect(heard.join()).toContain(here.canary), PATIENCE);
      expect(heard.join()).not.toContain(there.canary);
      expect(heard.map((text) => JSON.parse(text)).find(({ kind }) => kind === "sub")?.data).toMatchObject({
        error: { code: "unauthorized" },
      });
      await (await channelStub(bindings, there.id, "shared")).tee(new TextEncoder().encode(there.canary));
      webSocket.close(1000);
    });

    // Last, so that all of the above is looked at.
    it("have left nothing of the other in anything that is stored", async () => {
      const database = await inDatabase();
      const objects = await inObjects();
      for (const [one, other] of [
        [here, there],
        [there, here],
      ] as const) {
        const [inTables, inOwnObjects] = [database.filter(({ row }) => names(row, one)), ownedBy(objects, one)];
        for (const part of [inTables, inOwnObjects]) {
          expect(part.some(({ row }) => row.includes(one.canary))).toBe(true);
        }
        const kept = [...inTables, ...inOwnObjects];
        expect(kept.filter((row) => row.row.includes(other.canary) || names(row.row, other))).toEqual([]);
      }
      // Whatever carries a canary says whose it is.
      const owned = new Set(both.flatMap((one) => ownedBy(objects, one)));
      const strays = [
        ...database.filter(({ row }) => !both.some((one) => names(row, one))),
        ...objects.filter((row) => !owned.has(row)),
      ];
      expect(strays.filter(({ row }) => row.includes("canary-of-"))).toEqual([]);
    });
  });
}

/** Whether a text names an environment, and not one whose id only begins like it. */
function names(text: string, { id }: Neighbour): boolean {
  return text.split(id).some((rest, at) => at > 0 && !/^[\w-]/.test(rest));
}

/** The rows of an environment's objects: those that are called so, or whose rows say so where the name is forgotten. */
function ownedBy(objects: readonly Kept[], one: Neighbour): Kept[] {
  const owned = new Set(
    objects.filter(({ where, row }) => names(where, one) || names(row, one)).map(({ where }) => where),
  );
  return objects.filter(({ where }) => owned.has(where));
}
