import { env, exports } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../src/bindings.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import { findEvent } from "../../src/history/events.ts";
import { isUlid, newUlid, runIdFor } from "../../src/ids.ts";
import { EVENT } from "../../src/limits.ts";
import { eventIdStub, runStub } from "../../src/objects.ts";
import { muteApps, registerFunctions } from "./registered.ts";

// The plugin binds what wrangler.toml declares, which is what Bindings describes.
const bindings = env as unknown as Bindings;
// The Worker itself; the plugin types exports only for projects that generate their types.
const worker = (exports as unknown as { default: Fetcher }).default;

interface Reply {
  status: number;
  body: { ids?: string[]; id?: string; status: number; error?: string; code?: string };
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const reply = await worker.fetch(new Request(`http://engine${path}`, { method: "POST", body: text, headers }));
  // Every reply of these routes has this form, which the assertions check.
  return { status: reply.status, body: (await reply.json()) as Reply["body"] };
}

/** Sends events that must be accepted; gives their internal ids. */
async function send(body: unknown, headers?: Record<string, string>): Promise<string[]> {
  const reply = await post("/e/key", body, headers);
  expect(reply).toEqual({ status: 200, body: { ids: expect.any(Array), status: 200 } });
  return reply.body.ids ?? [];
}

/** The run of a function for an event, as its object sees it. */
async function runOf(slug: string, eventId: string) {
  return await runStub(bindings, LOCAL.id, await runIdFor(LOCAL.id, `id-of-${slug}`, eventId)).view();
}

async function runsOf(eventId: string): Promise<string[]> {
  const slugs = ["all", "published", "broken", "cart", "other", "invoked"];
  const views = await Promise.all(slugs.map(async (slug) => ((await runOf(slug, eventId)) === null ? [] : [slug])));
  return views.flat();
}

const stored = (id: string) => findEvent(bindings.DB, LOCAL.id, id);

async function countEvents(): Promise<number | null> {
  return await bindings.DB.prepare("SELECT COUNT(*) AS n FROM events").first<number>("n");
}

let ids = 0;
const freshId = () => `order-${ids++}`;

beforeAll(async () => {
  muteApps();
  await registerFunctions(bindings.DB, LOCAL.id, {
    all: ["app/*"],
    published: [{ event: "app/post", expression: "event.data.action == 'published'" }],
    broken: [{ event: "crm/broken", expression: "event.data.flag" }],
    cart: ["cart/done"],
    other: ["other/done"],
    invoked: [],
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("POST /e/:key", () => {
  it("EV-1, EV-6: one object, an array and an empty array are answered with one ULID per event", async () => {
    expect(await send({ name: "none/x" })).toHaveLength(1);
    expect(await send([])).toEqual([]);
    const sent = await send([{ name: "none/x" }, { name: "none/y" }, { name: "none/z" }]);
    expect(sent.every(isUlid)).toBe(true);
    const names = await Promise.all(sent.map(async (id) => (await stored(id))?.event.payload.name));
    expect(names).toEqual(["none/x", "none/y", "none/z"]);
  });

  it.each(["/e/any", "/e/", "/e"])("EV-20: dev mode accepts any key or none (%s)", async (path) => {
    expect((await post(path, { name: "none/x" })).status).toBe(200);
  });

  it("EV-2: the content type does not matter", async () => {
    expect(await send({ name: "none/x" }, { "content-type": "text/plain" })).toHaveLength(1);
  });

  it("EV-12: an event that nothing matched is stored complete, with no outcome", async () => {
    const [id = ""] = await send(
      { name: "none/x", data: { a: [1] }, v: "1" },
      { "x-inngest-sdk": "inngest-js:v4.24.0" },
    );
    expect(await stored(id)).toEqual({
      event: {
        internalId: id,
        receivedAt: expect.any(Number),
        source: "inngest-js:v4.24.0",
        deduplicationId: null,
        payload: { name: "none/x", data: { a: [1] }, id, ts: expect.any(Number), user: {}, v: "1" },
      },
      outcomes: [],
      duplicate: false,
      routed: true,
    });
  });

  it.each<[string, unknown, number, string]>([
    ["no JSON", "name=a", 400, "body_invalid"],
    ["nothing", "", 400, "body_invalid"],
    ["an event without name", [{ name: "none/a" }, {}, { name: "none/c" }], 400, "event_invalid"],
    ["a reserved name", { name: "inngest/function.failed" }, 400, "event_name_reserved"],
    ["too many events", `[${Array(5001).fill('{"name":"none/a"}').join()}]`, 400, "too_many_events"],
    ["a large event", { name: "none/a", data: { x: "y".repeat(EVENT.bytes.default) } }, 413, "event_too_large"],
    ["a large request", `"${"x".repeat(EVENT.requestBytes.default)}"`, 413, "request_too_large"],
  ])("EV-1, EV-4: refuses %s as a whole", async (_, body, status, code) => {
    const before = await countEvents();
    const reply = await post("/e/key", body);
    expect(reply).toEqual({ status, body: { ids: [], status, code, error: expect.any(String) } });
    expect(await countEvents()).toBe(before);
  });

  it("EV-1: refuses other methods in its own form", async () => {
    const reply = await worker.fetch(new Request("http://engine/e/key"));
    expect(reply.status).toBe(405);
    expect(await reply.json()).toMatchObject({ ids: [], status: 405, code: "method_not_allowed" });
  });

  it("EV-5: accepts 5,000 events in one request", async () => {
    const before = (await countEvents()) ?? 0;
    expect(new Set(await send(Array(5000).fill({ name: "none/many" }))).size).toBe(5000);
    expect(await countEvents()).toBe(before + 5000);
  });

  it("TR-1, TR-2: each matching function has a run when the reply arrives", async () => {
    const [id = ""] = await send({ name: "app/post", data: { action: "published" } });
    expect(await runsOf(id)).toEqual(["all", "published"]);
    expect((await runOf("all", id))?.row).toMatchObject({ eventIds: [id], eventName: "app/post", functionSlug: "all" });
  });

  it("TR-6: a filter that is not true starts nothing", async () => {
    const [draft = ""] = await send({ name: "app/post", data: { action: "draft" } });
    expect(await runsOf(draft)).toEqual(["all"]);
  });

  it("TR-6, EV-12: a filter that fails is an outcome of the event and starts nothing", async () => {
    const [id = ""] = await send({ name: "crm/broken", data: { flag: "neither true nor false" } });
    expect(await runsOf(id)).toEqual([]);
    expect((await stored(id))?.outcomes).toEqual([
      { functionId: "id-of-broken", functionSlug: "broken", outcome: "expression_error", reason: expect.any(String) },
    ]);
    const [fine = ""] = await send({ name: "crm/broken", data: { flag: true } });
    expect(await runsOf(fine)).toEqual(["broken"]);
  });

  it("EV-10: an event of the future has a queued run that starts at its time", async () => {
    const ts = Date.now() + 300_000;
    const [id = ""] = await send({ name: "cart/done", ts });
    expect(await runOf("cart", id)).toMatchObject({ row: { status: "queued", startedAt: null }, jobs: [{ at: ts }] });
  });
});

describe("EV-7: seeds", () => {
  const headers = () => {
    const entropy = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(10))));
    return { "x-inngest-event-id-seed": `${Date.now()},${entropy}` };
  };

  it("a repeated request has the same ids and neither stores nor starts anything again", async () => {
    const seed = headers();
    const body = [{ name: "cart/done" }, { name: "none/x" }, { name: "cart/done", id: freshId() }];
    const first = await send(body, seed);
    const before = await countEvents();
    const runs = await Promise.all(first.map((id) => runOf("cart", id)));
    expect(await send(body, seed)).toEqual(first);
    expect(await countEvents()).toBe(before);
    expect((await Promise.all(first.map((id) => runOf("cart", id)))).map((run) => run?.row.queuedAt)).toEqual(
      runs.map((run) => run?.row.queuedAt),
    );
    expect(runs.map((run) => run !== null)).toEqual([true, false, true]);
  });
});

describe("EV-15: deduplication by id", () => {
  it("a later event with the id is stored as duplicate and starts nothing, whatever its name", async () => {
    const id = freshId();
    const [first = ""] = await send({ name: "cart/done", id });
    const [second = ""] = await send({ name: "other/done", id });
    expect(await runsOf(first)).toEqual(["cart"]);
    expect(await runsOf(second)).toEqual([]);
    expect(await stored(second)).toMatchObject({
      duplicate: true,
      event: { deduplicationId: id, payload: { id, name: "other/done" } },
      outcomes: [{ functionSlug: "other", outcome: "skipped", reason: "duplicate_event" }],
    });
  });

  it("in one request the first in order wins", async () => {
    const id = freshId();
    const [first = "", second = ""] = await send([
      { name: "other/done", id },
      { name: "cart/done", id },
    ]);
    expect(await runsOf(first)).toEqual(["other"]);
    expect(await runsOf(second)).toEqual([]);
    expect(await stored(second)).toMatchObject({ duplicate: true });
  });

  it("EV-16: of the same id sent many times at once exactly one starts, and it starts every function", async () => {
    const id = freshId();
    const sent = await Promise.all(
      Array.from({ length: 10 }, () => send({ name: "app/post", data: { action: "published" }, id })),
    );
    const runs = await Promise.all(sent.flat().map(runsOf));
    expect(runs.filter((slugs) => slugs.length > 0)).toEqual([["all", "published"]]);
  });

  it("two sends that share two ids do not keep each other waiting", async () => {
    const [a, b] = [freshId(), freshId()];
    const began = Date.now();
    const forth = [
      { name: "cart/done", id: a },
      { name: "cart/done", id: b },
    ];
    const sent = (await Promise.all([send(forth), send(forth.toReversed())])).flat();
    expect(Date.now() - began).toBeLessThan(EVENT.claimGrace);
    const runs = await Promise.all(sent.map(runsOf));
    expect(runs.flat()).toEqual(["cart", "cart"]);
  });

  it("EV-8: an id claimed by a send that died is not lost: the next event with it starts the runs, once", async () => {
    const id = freshId();
    const died = newUlid(Date.now());
    await eventIdStub(bindings, LOCAL.id, id).claim(died);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + EVENT.claimGrace });
    const [second = ""] = await send({ name: "cart/done", id });
    // The run is the one that the dead send would have started.
    expect(await runsOf(died)).toEqual(["cart"]);
    expect(await runsOf(second)).toEqual([]);
    expect(await stored(second)).toMatchObject({ duplicate: false, outcomes: [{ outcome: "started" }] });
    const [third = ""] = await send({ name: "cart/done", id });
    expect(await stored(third)).toMatchObject({ duplicate: true });
  });

  it("after 24 h the id is new", async () => {
    const id = freshId();
    await send({ name: "cart/done", id });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + EVENT.deduplication });
    const [later = ""] = await send({ name: "cart/done", id });
    expect(await runsOf(later)).toEqual(["cart"]);
  });
});

describe("POST /invoke/:slug", () => {
  it("TR-17: starts a run of a function without triggers, with the given data", async () => {
    const reply = await post("/invoke/invoked", { data: { x: 1, _inngest: { fn_id: "cart" } }, user: { u: 1 } });
    expect(reply).toEqual({ status: 200, body: { id: expect.any(String), status: 200 } });
    const id = reply.body.id ?? "";
    expect(await runsOf(id)).toEqual(["invoked"]);
    const runId = await runIdFor(LOCAL.id, "id-of-invoked", id);
    expect(await runStub(bindings, LOCAL.id, runId).events()).toEqual([
      {
        name: "inngest/function.invoked",
        data: { x: 1, _inngest: { fn_id: "invoked" } },
        id,
        ts: expect.any(Number),
        user: { u: 1 },
      },
    ]);
  });

  it("protocol/01 §1.6: its event has seed index 0", async () => {
    const headers = { "x-inngest-event-id-seed": "1700000000000,AAECAwQFBgcICQ==" };
    expect((await post("/invoke/invoked", {}, headers)).body.id).toBe("01HF7YAT00000G40R40M30E209");
  });

  it.each<[string, string, unknown, number, string]>([
    ["an unknown function", "nobody", {}, 404, "function_not_found"],
    ["no object", "invoked", [1, 2], 400, "body_invalid"],
    ["data of the wrong type", "invoked", { data: 1 }, 400, "event_invalid"],
  ])("refuses %s", async (_, slug, body, status, code) => {
    expect(await post(`/invoke/${slug}`, body)).toMatchObject({ status, body: { status, code } });
  });
});
