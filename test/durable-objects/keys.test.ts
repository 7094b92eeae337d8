import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../src/bindings.ts";
import { BRANCHES, PRODUCTION } from "../../src/environments/environment.ts";
import { settingsIn } from "../../src/environments/settings.ts";
import { forgetKeys } from "../../src/keys/known.ts";
import { KEY } from "../../src/limits.ts";
import { hashedKey } from "../../src/protocol/signature.ts";
import { accountKey, ask, branchKeys, cloud, customEnvironment, ROOT_KEY } from "./cloud.ts";
import { inDatabase } from "./isolation/contents.ts";
import { bindings } from "./records.ts";

const bare = (key: string) => key.replace(/^signkey-\w+-/, "");
const UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

let account = "";
let staging = { id: "", signingKey: "", eventKey: "" };

beforeAll(async () => {
  account = await accountKey();
  staging = await customEnvironment("staging");
});

/** Sends an event with a key. */
const send = (key: string, name = "shop/x", headers: Record<string, string> = {}, deployment: Bindings = cloud) =>
  ask("POST", `/e/${key}`, { name, data: {} }, { key: null, headers, deployment });

/** Makes an event key of staging. */
async function eventKey(body: object) {
  const made = await ask("POST", "/v1/keys/events", body, { key: staging.signingKey });
  expect(made.status, made.text).toBe(200);
  return { id: made.body.data.id as string, value: made.body.data.key as string };
}

/** Makes an API key of staging, or of the account. */
async function apiKey(body: object, key = staging.signingKey): Promise<{ id: string; value: string }> {
  const made = await ask("POST", "/v1/keys/api", { name: "a tool", ...body }, { key });
  expect(made.status, made.text).toBe(200);
  return { id: made.body.data.id, value: made.body.data.key };
}

describe("EV-18: event keys", () => {
  const of = { key: "" };
  beforeAll(() => {
    of.key = staging.signingKey;
  });

  it("given two, when one is deleted, it is refused and the other keeps working", async () => {
    const [one, other] = [await eventKey({ name: "one" }), await eventKey({ name: "other" })];
    for (const { value } of [one, other]) expect((await send(value)).status).toBe(200);
    expect(await ask("DELETE", `/v1/keys/events/${one.id}`, undefined, of)).toMatchObject({ body: { ok: true } });
    expect((await send(one.value)).body).toEqual({
      ids: [],
      status: 401,
      error: "Event key not found",
      code: "event_key_not_found",
    });
    expect((await send(other.value)).status).toBe(200);
    expect((await ask("DELETE", `/v1/keys/events/${one.id}`, undefined, of)).status).toBe(404);
  });

  it("a deletion that another isolate made is seen within 10 seconds", async () => {
    const { id, value } = await eventKey({ name: "elsewhere" });
    expect((await send(value)).status).toBe(200);
    await cloud.DB.prepare("DELETE FROM event_keys WHERE id = ?1").bind(id).run();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10_000 });
    expect((await send(value)).status).toBe(401);
    vi.useRealTimers();
  });

  it("are named, renamed, disabled and enabled", async () => {
    const { id, value } = await eventKey({ name: "before" });
    const change = async (body: object) =>
      (await ask("PATCH", `/v1/keys/events/${id}`, body, of)).body.data as Record<string, unknown>;
    expect(await change({ name: "after" })).toMatchObject({ name: "after", disabled_at: null });
    expect(await change({ disabled: true })).toMatchObject({ name: "after", disabled_at: expect.any(String) });
    expect((await send(value)).body).toMatchObject({ status: 401, error: "Event key not found" });
    expect(await change({ disabled: false })).toMatchObject({ disabled_at: null });
    expect((await send(value)).status).toBe(200);
  });

  it("are listed without their values, with when they were used, and revealed when asked for", async () => {
    const { id, value } = await eventKey({ name: "listed" });
    const listed = async () => {
      const answer = await ask("GET", "/v1/keys/events", undefined, of);
      expect(answer.text).not.toContain(value);
      return answer.body.data.find((key: { id: string }) => key.id === id);
    };
    expect(await listed()).toEqual({
      id,
      name: "listed",
      fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/),
      managed: "stored",
      filters: {
        names: { allow: [], deny: [] },
        ips: { allow: [], deny: [] },
        origins: { allow: [], deny: [] },
      },
      created_at: expect.any(String),
      disabled_at: null,
      used_at: null,
    });
    await send(value);
    expect(await listed()).toMatchObject({ used_at: expect.any(String) });
    const revealed = await ask("POST", `/v1/keys/events/${id}/reveal`, undefined, of);
    expect(revealed.body.data).toEqual({ id, key: value });
    expect((await ask("POST", `/v1/keys/events/${UNKNOWN}/reveal`, undefined, of)).body.code).toBe("key_not_found");
  });

  it("those in the secret are listed for production, and are changed where secrets are", async () => {
    const { body, text } = await ask("GET", "/v1/keys/events");
    expect(body.data.slice(0, 2)).toMatchObject([
      { id: "secret-1", name: "INNGEST_EVENT_KEY 1", managed: "secret", created_at: null },
      { id: "secret-2", name: "INNGEST_EVENT_KEY 2", managed: "secret" },
    ]);
    expect(text).not.toContain("event-key-one");
    for (const [method, path] of [
      ["PATCH", "secret-1"],
      ["DELETE", "secret-1"],
      ["POST", "secret-2/reveal"],
    ] as const) {
      const refused = await ask(method, `/v1/keys/events/${path}`, {});
      expect(refused).toMatchObject({ status: 409, body: { code: "conflict" } });
      expect(refused.body.error).toContain("wrangler secret put INNGEST_EVENT_KEY");
    }
    expect((await send("event-key-two")).status).toBe(200);
    const made = await ask("POST", "/v1/keys/events", { name: "production's second" });
    expect((await send(made.body.data.key)).status).toBe(200);
  });

  it("all branches share theirs", async () => {
    const shared = await ask("POST", "/v1/keys/events", { name: "shared" }, { key: account, of: "branches" });
    await send(shared.body.data.key, "shop/x", { "x-inngest-env": "pr-1" });
    const { body } = await ask("GET", "/v1/keys/events", undefined, { key: account, of: "pr-1" });
    expect(body.data.map(({ id }: { id: string }) => id)).toContain(shared.body.data.id);
  });

  it.each([
    [{}],
    [{ name: "" }],
    [{ name: "x".repeat(KEY.nameLength + 1) }],
    [{ name: "x", filters: { ips: { allow: ["nowhere"] } } }],
    [{ name: "x", filters: { names: ["shop/*"] } }],
  ])("%j is no new key", async (body) => {
    const refused = await ask("POST", "/v1/keys/events", body, { key: staging.signingKey });
    expect(refused).toMatchObject({ status: 400, body: { code: "invalid_request" } });
  });
});

describe("EV-19: filters", () => {
  it("given a key that allows shop/*, crm/x is refused and nothing of it is stored, and shop/x is accepted", async () => {
    const { id, value } = await eventKey({ name: "shop", filters: { names: { allow: ["shop/*"] } } });
    expect((await send(value, "crm/x-filtered")).body).toEqual({
      ids: [],
      status: 403,
      code: "event_filtered",
      error: expect.stringContaining("crm/x-filtered"),
    });
    expect(JSON.stringify(await inDatabase())).not.toContain("crm/x-filtered");
    expect((await send(value, "shop/x")).status).toBe(200);
    const filters = { names: { deny: ["shop/*"] } };
    await ask("PATCH", `/v1/keys/events/${id}`, { filters }, { key: staging.signingKey });
    expect((await send(value, "shop/x")).status).toBe(403);
    expect((await send(value, "crm/x")).status).toBe(200);
    await ask("PATCH", `/v1/keys/events/${id}`, { name: "its filters stay" }, { key: staging.signingKey });
    expect((await send(value, "shop/x")).status).toBe(403);
  });

  it("by address and by page", async () => {
    const filters = { ips: { allow: ["203.0.113.0/24"] }, origins: { deny: ["https://evil.example"] } };
    const { value } = await eventKey({ name: "picky", filters });
    const from = (ip: string, more = {}) => send(value, "shop/x", { "cf-connecting-ip": ip, ...more });
    expect((await from("203.0.113.9")).status).toBe(200);
    expect((await from("198.51.100.9")).body).toMatchObject({ status: 403, code: "event_filtered" });
    expect((await from("203.0.113.9", { origin: "https://evil.example" })).status).toBe(403);
    expect((await send(value)).status, "whose address nobody knows").toBe(403);
  });
});

describe("EV-20: refusals", () => {
  it.each([
    ["", "event_key_missing", "Event key is required"],
    ["nobody", "event_key_not_found", "Event key not found"],
    [`ek_${"A".repeat(43)}`, "event_key_not_found", "Event key not found"],
    [ROOT_KEY, "event_key_not_found", "Event key not found"],
  ])("the key %j is 401 %s", async (key, code, error) => {
    expect((await send(key)).body).toEqual({ ids: [], status: 401, code, error });
  });

  it("an API key, a signing key and the hash of an event key are none", async () => {
    const { value } = await apiKey({ scope: "admin" });
    const row = await cloud.DB.prepare("SELECT hash, sealed FROM event_keys LIMIT 1").first<Record<string, string>>();
    for (const key of [value, staging.signingKey, row?.["hash"] ?? "", encodeURIComponent(row?.["sealed"] ?? "")]) {
      expect((await send(key)).status).toBe(401);
    }
  });

  it("with stored keys only an unknown one is 401, not 503", async () => {
    const { INNGEST_EVENT_KEY: _, ...deployment } = cloud;
    expect((await send("nobody", "shop/x", {}, deployment)).status).toBe(401);
    expect((await send(staging.eventKey, "shop/x", {}, deployment)).status).toBe(200);
  });

  it("dev mode accepts any", async () => {
    expect((await send("anything", "shop/x", {}, bindings)).status).toBe(200);
    expect((await send("", "shop/x", {}, bindings)).status).toBe(200);
  });
});

describe("API-2: who may ask", () => {
  const READS = ["/v1/runs", "/v1/events", "/v1/apps", "/v2/runs", "/v2/account"];

  it("given a signing key of staging, only staging's events are listed; without it 401", async () => {
    const sent = await send(staging.eventKey, "shop/only-here");
    await send("event-key-one", "shop/production");
    for (const form of [staging.signingKey, bare(staging.signingKey), await hashedKey(staging.signingKey)]) {
      const { body } = await ask("GET", "/v1/events?limit=100", undefined, { key: form });
      const names = body.data.map(({ name }: { name: string }) => name);
      expect(names).toContain("shop/only-here");
      expect(names).not.toContain("shop/production");
    }
    expect((await ask("GET", `/v1/events/${sent.body.ids[0]}`)).status).toBe(404);
    for (const key of [null, "nobody", bare(staging.signingKey).slice(1), `mk_${"A".repeat(43)}`]) {
      expect((await ask("GET", "/v1/events", undefined, { key })).body).toEqual({
        status: 401,
        code: "unauthorized",
        error: "Authentication failed",
        data: null,
      });
    }
  });

  it("a key that reads changes nothing, over REST, v2 and GraphQL", async () => {
    const { value: key } = await apiKey({ scope: "read" });
    for (const path of READS) expect((await ask("GET", path, undefined, { key })).status).toBe(200);
    const query = { query: "{ apps { name } }" };
    expect((await ask("POST", "/v0/gql", query, { key })).body).toMatchObject({ data: { apps: [] } });
    const question = { sql: "SELECT name FROM events" };
    expect((await ask("POST", "/v1/insights/query", question, { key })).status).toBe(200);
    for (const [method, path] of [
      ["POST", "/v1/signals"],
      ["DELETE", `/v1/runs/${UNKNOWN}`],
      ["POST", "/v2/events"],
      ["POST", "/fn/register"],
      ["POST", "/v1/insights/queries"],
    ] as const) {
      const refused = await ask(method, path, {}, { key });
      expect([path, refused.status]).toEqual([path, 403]);
      expect(refused.text).toContain('\\"write\\"');
    }
    const mutation = { query: `mutation { cancelRun(runID: "${UNKNOWN}") { id } }` };
    const { body } = await ask("POST", "/v0/gql", mutation, { key });
    expect(body).toEqual({ errors: [{ message: "Mutations need a key that may write." }] });
    const two = { query: `query a { apps { name } } ${mutation.query.replace("mutation", "mutation b")}` };
    expect((await ask("POST", "/v0/gql", { ...two, operationName: "b" }, { key })).body.data).toBeUndefined();
  });

  it("a key that writes changes things, but neither keys nor environments", async () => {
    const { value: key } = await apiKey({ scope: "write" });
    expect((await ask("POST", "/v1/signals", { signal: "nobody" }, { key })).status).toBe(404);
    const mutation = { query: `mutation { cancelRun(runID: "${UNKNOWN}") { id } }` };
    expect((await ask("POST", "/v0/gql", mutation, { key })).text).not.toContain("may write");
    for (const path of ["/v1/keys/events", "/v1/keys/signing", "/v1/keys/api", "/v1/environments", "/v2/keys/events"]) {
      const refused = await ask("GET", path, undefined, { key });
      expect([path, refused.status]).toEqual([path, 403]);
      expect(refused.text).toContain('\\"admin\\"');
    }
  });

  it("an admin key of an environment changes its keys, and nothing beyond it", async () => {
    const { value: key } = await apiKey({ scope: "admin" });
    expect((await ask("POST", "/v1/keys/events", { name: "by a tool" }, { key })).status).toBe(200);
    const beyond = { name: "x", scope: "read", environment: "account" };
    expect((await ask("POST", "/v1/keys/api", beyond, { key })).body).toMatchObject({ status: 403, code: "forbidden" });
    expect((await ask("GET", "/v1/environments", undefined, { key })).status).toBe(403);
    const { body } = await ask("GET", "/v1/keys/api", undefined, { key });
    expect(body.data.every((one: { environment_id: string }) => one.environment_id === staging.id)).toBe(true);
  });

  it("a key of the account names its environment, and is production's without a name", async () => {
    const { value: key } = await apiKey({ scope: "read", environment: "account" }, account);
    const names = async (of?: string) => {
      const { body } = await ask("GET", "/v1/events?limit=100", undefined, {
        key,
        ...(of === undefined ? {} : { of }),
      });
      return body.data.map(({ name }: { name: string }) => name);
    };
    await send(staging.eventKey, "shop/in-staging");
    await send("event-key-one", "shop/in-production");
    for (const of of ["staging", staging.id]) {
      expect(await names(of)).toContain("shop/in-staging");
      expect(await names(of)).not.toContain("shop/in-production");
    }
    expect(await names()).toContain("shop/in-production");
    expect(await names(PRODUCTION.id)).not.toContain("shop/in-staging");
    const unknown = await ask("GET", "/v1/events", undefined, { key, of: "nobody" });
    expect(unknown).toMatchObject({ status: 404, body: { code: "environment_not_found" } });
    const listed = await ask("GET", "/v1/environments", undefined, { key });
    expect(listed.status, "it may only read").toBe(403);
  });

  it("a key of an environment cannot name another", async () => {
    const { value: key } = await apiKey({ scope: "read" });
    await send("event-key-one", "shop/not-yours");
    for (const of of ["production", PRODUCTION.id, "branches"]) {
      const answer = await ask("GET", "/v1/events?limit=100", undefined, { key, of });
      expect(answer.text).not.toContain("shop/not-yours");
    }
  });

  it("ends when it is to end, and at once when it is deleted", async () => {
    const end = Date.now() + 60_000;
    const { id, value: key } = await apiKey({ scope: "read", expires_at: new Date(end).toISOString() });
    const read = async () => (await ask("GET", "/v1/runs", undefined, { key })).status;
    expect(await read()).toBe(200);
    vi.useFakeTimers({ toFake: ["Date"], now: end - 1 });
    expect(await read()).toBe(200);
    vi.setSystemTime(end);
    expect(await read()).toBe(401);
    vi.useRealTimers();
    expect(await read()).toBe(200);
    const deleted = await ask("DELETE", `/v1/keys/api/${id}`, undefined, { key: staging.signingKey });
    expect(deleted.body).toEqual({ ok: true });
    expect(await read()).toBe(401);
  });

  it("is shown once, and listed with when it was used", async () => {
    const { id, value: key } = await apiKey({ scope: "read" });
    await ask("GET", "/v1/runs", undefined, { key });
    const { body, text } = await ask("GET", "/v1/keys/api", undefined, { key: staging.signingKey });
    expect(text).not.toContain(key);
    expect(body.data.find((one: { id: string }) => one.id === id)).toEqual({
      id,
      name: "a tool",
      scope: "read",
      environment_id: staging.id,
      origins: [],
      created_at: expect.any(String),
      expires_at: null,
      used_at: expect.any(String),
    });
  });

  it("another environment's keys are not its to delete", async () => {
    const { id, value } = await apiKey({ scope: "read", environment: "account" }, account);
    for (const [path, kept] of [
      [`/v1/keys/api/${id}`, value],
      [`/v1/keys/events/${(await ask("GET", "/v1/keys/events", undefined, { key: account })).body.data[2]?.id}`, value],
    ] as const) {
      const refused = await ask("DELETE", path, undefined, { key: staging.signingKey });
      expect(refused).toMatchObject({ status: 404, body: { code: "key_not_found" } });
      expect((await ask("GET", "/v1/runs", undefined, { key: kept })).status).toBe(200);
    }
    expect((await ask("DELETE", `/v1/keys/api/${id}`, undefined, { key: account })).status).toBe(200);
  });

  it.each([
    [{ scope: "owner" }],
    [{ scope: "read", environment: "staging" }],
    [{ scope: "read", expires_at: "2001-01-01T00:00:00Z" }],
    [{ scope: "read", expires_at: "tomorrow" }],
    [{ scope: "read", origins: ["https://a.example/path"] }],
    [{}],
  ])("%j is no new key", async (body) => {
    const refused = await ask("POST", "/v1/keys/api", { name: "x", ...body }, { key: staging.signingKey });
    expect(refused).toMatchObject({ status: 400, body: { code: "invalid_request" } });
  });
});

describe("API-26: pages that a key allows", () => {
  const page = { origin: "https://tool.example" };
  const preflight = (headers: Record<string, string>, path = "/v1/runs") =>
    ask("OPTIONS", path, undefined, { key: null, headers });

  it("may call with it, and with no other; without such a key nothing is open", async () => {
    expect((await preflight(page)).status).toBe(403);
    const { id, value: key } = await apiKey({ scope: "read", origins: [page.origin] });
    const { value: other } = await apiKey({ scope: "read" });
    const asked = await preflight({ ...page, "access-control-request-headers": "authorization" });
    expect(asked.status).toBe(204);
    expect(asked.headers.get("access-control-allow-origin")).toBe(page.origin);
    expect(asked.headers.get("access-control-allow-headers")).toBe("authorization");
    expect(asked.headers.get("access-control-allow-credentials"), "cookies are none of its").toBeNull();
    const called = await ask("GET", "/v1/runs", undefined, { key, headers: page });
    expect(called.status).toBe(200);
    expect(called.headers.get("access-control-allow-origin")).toBe(page.origin);
    for (const wrong of [other, staging.signingKey, ROOT_KEY]) {
      const refused = await ask("GET", "/v1/runs", undefined, { key: wrong, headers: page });
      expect(refused).toMatchObject({ status: 403, body: { code: "forbidden" } });
    }
    expect((await ask("GET", "/v1/runs", undefined, { key: null, headers: page })).status).toBe(401);
    expect((await ask("POST", "/v0/gql", { query: "{ apps { name } }" }, { key, headers: page })).status).toBe(403);
    const elsewhere = { origin: "https://evil.example" };
    expect((await ask("GET", "/v1/runs", undefined, { key, headers: elsewhere })).status).toBe(403);
    expect((await preflight(elsewhere)).status).toBe(403);
    await ask("DELETE", `/v1/keys/api/${id}`, undefined, { key: staging.signingKey });
    expect((await preflight(page)).status).toBe(403);
  });
});

describe("SE-7: rotation", () => {
  const rotate = (phase: string, key: string, of?: string) =>
    ask("POST", "/v1/keys/signing/rotate", { phase }, { key, ...(of === undefined ? {} : { of }) });

  it("in four steps: both are accepted all the time, and the new one signs from the third on", async () => {
    const { id, signingKey: old } = await customEnvironment("rotated");
    const opens = async (key: string) => (await ask("GET", "/v1/runs", undefined, { key })).status === 200;
    const keys = async () => (await settingsIn(cloud, id, Date.now())).signingKeys;
    expect((await rotate("activate", old)).status, "there is none to activate").toBe(409);
    expect((await rotate("finish", old)).status).toBe(409);

    const created = await rotate("create", old);
    const fresh: string = created.body.data.created.key;
    expect(fresh).toMatch(/^signkey-custom-[0-9a-f]{64}$/);
    expect(created.body.data.keys.map(({ state }: { state: string }) => state)).toEqual(["current", "next"]);
    expect(await keys()).toEqual([old, fresh]);
    expect([await opens(old), await opens(fresh)]).toEqual([true, true]);
    expect((await rotate("create", old)).status, "one at a time").toBe(409);

    const activated = await rotate("activate", old);
    expect(activated.body.data.created).toBeNull();
    expect(await keys()).toEqual([fresh, old]);
    expect([await opens(old), await opens(fresh)]).toEqual([true, true]);
    expect((await rotate("create", old)).status, "before the old one is gone").toBe(409);

    expect((await rotate("finish", fresh)).body.data.keys).toMatchObject([{ state: "current" }]);
    expect(await keys()).toEqual([fresh]);
    expect([await opens(old), await opens(fresh)]).toEqual([false, true]);
  });

  it("keys are listed without their values, by what apps tell of theirs, and revealed when asked for", async () => {
    const listed = await ask("GET", "/v1/keys/signing", undefined, { key: staging.signingKey });
    const [key] = listed.body.data;
    expect(listed.body.data).toHaveLength(1);
    expect(key).toMatchObject({ state: "current", managed: "stored", created_at: expect.any(String) });
    expect(bare(await hashedKey(staging.signingKey)).startsWith(key.fingerprint)).toBe(true);
    expect(listed.text).not.toContain(bare(staging.signingKey));
    const revealed = await ask("POST", `/v1/keys/signing/${key.id}/reveal`, undefined, { key: staging.signingKey });
    expect(revealed.body.data).toEqual({ id: key.id, key: staging.signingKey });
    const unknown = await ask("POST", `/v1/keys/signing/${UNKNOWN}/reveal`, undefined, { key: staging.signingKey });
    expect(unknown).toMatchObject({ status: 404, body: { code: "key_not_found" } });
    const other = await customEnvironment("reveals nothing");
    const foreign = await ask("POST", `/v1/keys/signing/${key.id}/reveal`, undefined, { key: other.signingKey });
    expect(foreign.status).toBe(404);
  });

  it("those of production are secrets, and the refusal says how they are rotated", async () => {
    const { body, text } = await ask("GET", "/v1/keys/signing");
    expect(body.data).toMatchObject([{ id: "secret-1", name: "INNGEST_SIGNING_KEY", managed: "secret" }]);
    expect(text).not.toContain(bare(ROOT_KEY));
    const refused = await rotate("create", ROOT_KEY);
    expect(refused).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect(refused.body.error).toContain("wrangler secret put INNGEST_SIGNING_KEY_FALLBACK");
    expect((await ask("POST", "/v1/keys/signing/secret-1/reveal")).status).toBe(409);
  });

  it("the first key of all branches is made by create, and rotates as the others do", async () => {
    const { signingKey } = await branchKeys(account);
    expect(signingKey).toMatch(/^signkey-branch-/);
    const of = "pr-2";
    const { body } = await rotate("create", signingKey, of);
    expect(body.data.keys.map(({ state }: { state: string }) => state)).toEqual(["current", "next"]);
    expect((await ask("GET", "/v1/runs", undefined, { key: signingKey, of })).status).toBe(200);
    const kept = await cloud.DB.prepare("SELECT environment_id FROM signing_keys WHERE id = ?1")
      .bind(body.data.created.id)
      .first();
    expect(kept).toEqual({ environment_id: BRANCHES.id });
  });

  it("dev mode has none", async () => {
    const deployment = bindings;
    expect((await ask("GET", "/v1/keys/signing", undefined, { deployment })).body.data).toEqual([]);
    const refused = await ask("POST", "/v1/keys/signing/rotate", { phase: "create" }, { deployment });
    expect(refused).toMatchObject({ status: 409, body: { code: "conflict" } });
  });

  it.each([[{ phase: "begin" }], [{}]])("%j is no phase", async (body) => {
    const refused = await ask("POST", "/v1/keys/signing/rotate", body, { key: staging.signingKey });
    expect(refused).toMatchObject({ status: 400, body: { code: "invalid_request" } });
  });
});

describe("SE-2, SE-8, SE-14: what is stored", () => {
  it("no row of the database has a key in clear", async () => {
    const environment = await customEnvironment("canaries");
    const made = [
      environment.signingKey,
      environment.eventKey,
      (await eventKey({ name: "canary" })).value,
      (await apiKey({ scope: "read" })).value,
      account,
      (await ask("POST", "/v1/keys/signing/rotate", { phase: "create" }, { key: environment.signingKey })).body.data
        .created.key as string,
    ];
    await send(environment.eventKey);
    const rows = await inDatabase();
    const all = JSON.stringify(rows);
    for (const table of ["event_keys", "signing_keys", "api_keys"]) {
      expect(
        rows.some((row) => row.table === table),
        table,
      ).toBe(true);
    }
    for (const key of made) {
      expect(all).not.toContain(bare(key));
      // Nor what apps send instead of the key, with which they would be let in.
      if (key.startsWith("signkey")) expect(all).not.toContain(bare(await hashedKey(key)));
    }
  });

  it("what the former MILLRACE_SECRET sealed opens, and is sealed anew under the present one", async () => {
    const { id, signingKey, eventKey: value } = await customEnvironment("sealed anew");
    const [key] = (await ask("GET", "/v1/keys/events", undefined, { key: signingKey })).body.data;
    const rows = async () => {
      const tables = ["event_keys", "signing_keys"].map(async (table) => {
        const row = await cloud.DB.prepare(`SELECT sealed FROM ${table} WHERE environment_id = ?1`).bind(id).first();
        return row?.["sealed"];
      });
      return await Promise.all(tables);
    };
    const sealed = await rows();
    const secret = "7a".repeat(32);
    const both = { ...cloud, MILLRACE_SECRET: secret, MILLRACE_SECRET_PREVIOUS: cloud.MILLRACE_SECRET ?? "" };
    const reveal = (deployment: Bindings) =>
      ask("POST", `/v1/keys/events/${key.id}/reveal`, undefined, { key: signingKey, deployment });
    expect((await reveal(both)).body.data).toEqual({ id: key.id, key: value });
    const listed = await ask("GET", "/v1/keys/signing", undefined, { key: signingKey, deployment: both });
    expect(listed.body.data).toMatchObject([{ fingerprint: expect.any(String) }]);
    expect((await rows()).filter((row) => sealed.includes(row))).toEqual([]);
    const present = { ...cloud, MILLRACE_SECRET: secret };
    expect((await reveal(present)).body.data).toEqual({ id: key.id, key: value });
    const lost = await reveal(cloud);
    expect(lost).toMatchObject({ status: 503, body: { code: "not_configured" } });
    expect(lost.text).not.toContain(value);
    expect((await send(value)).status, "it is valid all the same").toBe(200);
  });

  it("API-22: v2 lists keys by the beginning of their hash only", async () => {
    const asking = { key: staging.signingKey };
    const events = await ask("GET", "/v2/keys/events", undefined, asking);
    expect(events.body.data).toContainEqual({
      id: expect.any(String),
      name: "Default",
      environmentId: staging.id,
      fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/),
      isCurrent: true,
      createdAt: expect.any(String),
    });
    const signing = await ask("GET", "/v2/keys/signing", undefined, asking);
    expect(signing.body.data).toMatchObject([{ environmentId: staging.id, isCurrent: true }]);
    expect(events.text + signing.text).not.toMatch(new RegExp(`ek_|signkey|${bare(staging.signingKey)}`));
  });

  it("SE-8: an archived environment's keys still read, and its rows are nobody else's", async () => {
    const { id, signingKey, eventKey: value } = await customEnvironment("resting");
    await send(value, "shop/resting");
    await ask("POST", `/v1/environments/${id}/archive`);
    expect((await send(value)).status).toBe(401);
    const { text } = await ask("GET", "/v1/events", undefined, { key: signingKey });
    expect(text).toContain("shop/resting");
    for (const key of [staging.signingKey, ROOT_KEY, account]) {
      expect((await ask("GET", "/v1/events?limit=100", undefined, { key })).text).not.toContain("shop/resting");
    }
    forgetKeys(cloud.DB);
  });
});
