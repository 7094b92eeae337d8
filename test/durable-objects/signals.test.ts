import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Run } from "../../durable-objects/run.ts";
import type { Waits } from "../../durable-objects/waits.ts";
import type { SignalClaim } from "../../src/decide/waits/signal.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import type { Json } from "../../src/json.ts";
import { WAITS } from "../../src/limits.ts";
import { waitsStub } from "../../src/objects.ts";
import { bindings } from "./records.ts";

// The Worker itself; the plugin types exports only for projects that generate their types.
const worker = (exports as unknown as { default: Fetcher }).default;

const HOUR = 60 * 60 * 1000;
/** ms; a busy machine may take its time. */
const PATIENCE = 10_000;

let names = 0;
let name = "";
let waits: DurableObjectStub<Waits>;
/** What runs heard. */
let heard: { runId: string; stepId: string; memo: Json }[] = [];
let broken = false;

function aClaim(runId: string, draft: Partial<SignalClaim> = {}): SignalClaim {
  return { runId, stepId: "s", expiresAt: Date.now() + HOUR, conflict: "fail", ...draft };
}

/** Resolves when exactly this run has heard exactly this. */
const hears = (runId: string, data: Json) =>
  vi.waitFor(() => expect(heard).toEqual([{ runId, stepId: "s", memo: { data: { signal: name, data } } }]), PATIENCE);

const alarmOf = () => runInDurableObject(waits, (_, { storage }) => storage.getAlarm());

/** Lets the object's clock jump and fires its alarm. */
async function jump(ms: number): Promise<void> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
  await runDurableObjectAlarm(waits);
}

async function post(body: unknown): Promise<{ status: number; body: unknown }> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const reply = await worker.fetch(new Request("http://engine/v1/signals", { method: "POST", body: text }));
  return { status: reply.status, body: await reply.json() };
}

beforeEach(() => {
  name = `approve/${names++}`;
  waits = waitsStub(bindings, LOCAL.id, "signal", name);
  heard = [];
  broken = false;
  // Runs are played by the tests.
  vi.spyOn(Run.prototype, "resolve").mockImplementation(async function (this: Run, stepId, memo) {
    if (broken) throw new Error("partition");
    const [, runId = ""] = (Reflect.get(this, "ctx") as DurableObjectState).id.name?.split(":") ?? [];
    // What an earlier test left under way is none of this one's.
    if (JSON.stringify(memo).includes(JSON.stringify(name))) heard.push({ runId, stepId, memo });
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a signal", () => {
  it("EX-48: reaches the run that waits for it, once", async () => {
    expect(await waits.registerSignal(aClaim("a"))).toEqual({ conflict: false });
    expect(await waits.signal({ ok: true })).toBe("a");
    await hears("a", { ok: true });
    expect(await waits.signal({ ok: false })).toBeNull();
    await hears("a", { ok: true });
  });

  it("EX-48: nobody waits for it: it is not stored", async () => {
    expect(await waits.signal(1)).toBeNull();
    await runInDurableObject(waits, (_, { storage }) => {
      expect(storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'signal_waits'").toArray()).toEqual([]);
    });
    await waits.registerSignal(aClaim("a"));
    expect(heard).toEqual([]);
  });

  it("EX-49: `fail` refuses a second run, and the first keeps the name", async () => {
    await waits.registerSignal(aClaim("a"));
    expect(await waits.registerSignal(aClaim("b"))).toEqual({ conflict: true });
    expect(await waits.signal(null)).toBe("a");
  });

  it("EX-49: `replace` gives the name to the second run; the first can only time out", async () => {
    await waits.registerSignal(aClaim("a"));
    expect(await waits.registerSignal(aClaim("b", { conflict: "replace" }))).toEqual({ conflict: false });
    // A run that repeats its registration neither gets the name back nor fails.
    expect(await waits.registerSignal(aClaim("a"))).toEqual({ conflict: false });
    expect(await waits.signal(1)).toBe("b");
    await hears("b", 1);
    expect(await waits.signal(2)).toBeNull();
  });

  it("a run that repeats its registration after it was served does not take the name again", async () => {
    await waits.registerSignal(aClaim("a"));
    await waits.signal(1);
    await hears("a", 1);
    await waits.registerSignal(aClaim("a"));
    expect(await waits.registerSignal(aClaim("b"))).toEqual({ conflict: false });
    expect(await waits.signal(2)).toBe("b");
  });

  it("EX-46: a wait that has timed out gets nothing and is in nobody's way", async () => {
    await waits.registerSignal(aClaim("a", { expiresAt: Date.now() + 1000 }));
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 1000 });
    expect(await waits.signal(1)).toBeNull();
    expect(await waits.registerSignal(aClaim("b"))).toEqual({ conflict: false });
    expect(await waits.signal(2)).toBe("b");
  });

  it("a wait that was taken back frees the name", async () => {
    await waits.registerSignal(aClaim("a"));
    await waits.forget("a", ["s"]);
    expect(await waits.signal(1)).toBeNull();
    expect(await waits.registerSignal(aClaim("b"))).toEqual({ conflict: false });
  });

  it("I1: what was promised is delivered by the alarm, also after the object left memory", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    broken = true;
    await waits.registerSignal(aClaim("a", { expiresAt: Date.now() + 1000 }));
    expect(await waits.signal("x")).toBe("a");
    await scheduler.wait(20);
    await jump(WAITS.retry.first);
    expect(await alarmOf()).toBe(Date.now() + 2 * WAITS.retry.first);
    await evictDurableObject(waits);
    broken = false;
    await jump(2 * WAITS.retry.first);
    await hears("a", "x");
  });

  it("I4: the object comes to rest and leaves nothing behind", async () => {
    await waits.registerSignal(aClaim("a"));
    await waits.registerSignal(aClaim("b", { conflict: "replace" }));
    await waits.signal(1);
    await hears("b", 1);
    await jump(HOUR + WAITS.remembered);
    await runInDurableObject(waits, async (_, { storage }) => {
      expect(storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'signal_waits'").toArray()).toEqual([]);
      expect(await storage.getAlarm()).toBeNull();
    });
    expect(await waits.registerSignal(aClaim("c"))).toEqual({ conflict: false });
  });
});

describe("POST /v1/signals", () => {
  it("API-15: answers with the id of the run that gets the signal", async () => {
    await waits.registerSignal(aClaim("01RUN"));
    const reply = await post({ signal: name, data: { ok: true } });
    expect(reply).toEqual({
      status: 200,
      body: { data: { run_id: "01RUN" }, metadata: { fetched_at: expect.any(String), cached_until: null } },
    });
    await hears("01RUN", { ok: true });
  });

  it("EX-48: without data the run gets null", async () => {
    await waits.registerSignal(aClaim("01RUN"));
    expect((await post({ signal: name })).status).toBe(200);
    await hears("01RUN", null);
  });

  it.each<[string, unknown, number, string]>([
    ["a signal nobody waits for", { signal: "nobody", data: {} }, 404, "signal_not_found"],
    ["no JSON", "signal=x", 400, "body_invalid"],
    ["no signal", { data: 1 }, 400, "invalid_request"],
    ["an empty name", { signal: "", data: 1 }, 400, "invalid_request"],
    ["no object", [], 400, "invalid_request"],
    ["a long name", { signal: "x".repeat(WAITS.signal.length + 1) }, 400, "invalid_request"],
    ["a large body", { signal: "x", data: "x".repeat(WAITS.signal.bytes) }, 413, "request_too_large"],
  ])("API-4: refuses %s", async (_, body, status, code) => {
    expect(await post(body)).toMatchObject({ status, body: { status, code } });
  });

  it("EX-48: a name of the full length has its object, whatever its characters", async () => {
    const long = "印".repeat(WAITS.signal.length);
    name = long;
    const stub = waitsStub(bindings, LOCAL.id, "signal", long);
    await stub.registerSignal(aClaim("01LONG"));
    expect((await post({ signal: long })).status).toBe(200);
    await hears("01LONG", null);
  });
});
