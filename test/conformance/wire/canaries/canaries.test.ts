/**
 * Secrets in every place where a deployment in cloud mode meets them (SE-2, SE-14, OB-13): its own keys, tokens it gives out, credentials of
 * requests that it makes for steps, and all of these in requests that fail. Afterwards everything it has stored, logged and answered is
 * searched for them; what must be there is searched for as well, so that an empty search proves nothing.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { temporaryState } from "../../../../cli/state.ts";
import { startTestEngine, type TestEngine } from "../../harness/engine.ts";
import { filesWith } from "../../harness/kept.ts";
import { type ScriptedApp, startScriptedApp } from "../../harness/scripted-app.ts";
import { type Asked, withEcho } from "../../steps/echo.ts";
import { bare, hashed } from "../cloud/signature.ts";
import { done, type Op, progress, threwInBody } from "../ops.ts";

const KEY = `signkey-prod-${"c0ffee00".repeat(8)}`;
const FALLBACK = `signkey-prod-${"decade11".repeat(8)}`;
const EVENT_KEY = "canary-event-key-41f7";
const ROOT_SECRET = "facade22".repeat(8);

/** What steps send along to other servers. */
const GIVEN = {
  bearer: "canary-bearer-93ab",
  cookie: "canary-cookie-93ab",
  custom: "canary-x-api-key-93ab",
  query: "canary-query-93ab",
  user: "canary-userinfo-93ab",
  basic: "canary-basic-93ab",
  model: "sk-canary-model-93ab",
  lost: "canary-unreachable-93ab",
  broken: "canary-malformed-93ab",
};
const BASIC = Buffer.from(`joe:${GIVEN.basic}`).toString("base64");

const MARKER = "what-must-be-found-77";

const state = await temporaryState();
const lines: string[] = [];
const answers: string[] = [];
/** Secrets that exist only since the test runs: tokens. */
const minted: string[] = [];

let engine: TestEngine;
let app: ScriptedApp;

beforeAll(async () => {
  [engine, app] = await Promise.all([
    startTestEngine({
      persistDir: state.dir,
      onLine: ({ level, text }) => lines.push(`${level}: ${text}`),
      bindings: {
        MILLRACE_MODE: "cloud",
        MILLRACE_SECRET: ROOT_SECRET,
        INNGEST_SIGNING_KEY: KEY,
        INNGEST_SIGNING_KEY_FALLBACK: FALLBACK,
        INNGEST_EVENT_KEY: EVENT_KEY,
        MILLRACE_ALLOW_PRIVATE_APPS: "1",
        MILLRACE_ALLOW_PRIVATE_FETCH: "1",
      },
    }),
    startScriptedApp(),
  ]);
});

afterAll(async () => {
  await Promise.all([engine?.stop(), app?.stop()]);
  await state.release();
});

/** A request whose answer is searched as well. */
async function ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) {
  const answer = await engine.api(method, path, body, headers);
  answer.headers.forEach((value, name) => {
    answers.push(`${name}: ${value}`);
  });
  answers.push(answer.text);
  return answer;
}

const gateway = (id: string, opts: Op): Op => ({
  op: "Gateway",
  id,
  name: id,
  displayName: id,
  opts,
  userland: { id },
});

/** Requests with credentials in each place that has any, of which some succeed and some do not. */
function requests(origin: string): Op[] {
  const { bearer, cookie, custom, query, user, model, lost, broken } = GIVEN;
  const headers = { authorization: `Bearer ${bearer}`, cookie: `a=b; session=${cookie}`, "x-api-key": custom };
  const ai = (id: string, path: string): Op => ({
    ...gateway(id, { url: `${origin}/${path}`, format: "openai", auth_key: model, headers: {}, body: { model: "m" } }),
    op: "AIGateway",
  });
  const keyed = `api_key=${query}`;
  return [
    gateway("found", { url: `${origin}/found?${keyed}`, method: "GET", headers }),
    gateway("refused", { url: `${origin}/refused?${keyed}`, method: "POST", headers, body: "x" }),
    gateway("cut", { url: `${origin}/cut?${keyed}`, method: "GET", headers }),
    gateway("moved", { url: `${origin}/moved?${keyed}`, method: "GET", headers: { authorization: `Basic ${BASIC}` } }),
    gateway("user", { url: `${origin.replace("//", `//joe:${user}@`)}/found`, method: "GET", headers: {} }),
    gateway("lost", { url: `http://127.0.0.1:1/?token=${lost}`, headers: { "x-auth-token": lost } }),
    gateway("broken", { url: `${origin}/found`, method: "CONNECT", headers: { authorization: `${broken}\n` } }),
    ai("model", "model"),
    ai("model-refused", "refused"),
  ];
}

async function register(): Promise<void> {
  const registered = await app.register(engine, "canaries", [
    {
      id: "asks",
      event: "canary/asks",
      retries: 0,
      script: (call) => {
        const { origin } = z.object({ origin: z.string() }).parse(call.body.event.data);
        return call.number === 1 ? progress(...requests(origin)) : done(Object.keys(call.body.steps).length);
      },
    },
    // An app that tells everything it was sent, as careless error pages do.
    {
      id: "tells",
      event: "canary/tells",
      retries: 1,
      script: (call) => (call.number === 1 ? threwInBody(`I got ${call.raw}`) : done(MARKER)),
    },
  ]);
  expect(registered.json, registered.text).toMatchObject({ ok: true });
}

/** Requests that fail, each with a secret in it. */
async function fail(): Promise<void> {
  for (const [method, path, body] of [
    ["POST", `/e/${EVENT_KEY}`, "not json"],
    ["POST", `/e/${EVENT_KEY}`, { name: "inngest/reserved" }],
    ["POST", `/e/${EVENT_KEY}`, `{"name":"canary/large","data":{"s":"${"x".repeat(1_100_000)}"}}`],
    ["PUT", `/e/${EVENT_KEY}`, {}],
    ["POST", `/invoke/nobody?key=${EVENT_KEY}`, {}],
    ["POST", "/fn/register", "not json"],
    ["POST", "/v1/apps", { url: `https://joe:${GIVEN.user}@app.example.com/` }],
    ["DELETE", "/fn/remove?url=https%3A%2F%2Fapp.example%2Fapi", undefined],
  ] as const) {
    expect((await ask(method, path, body)).status).toBeGreaterThanOrEqual(400);
  }
  for (const authorization of [`Bearer ${KEY}x`, `Bearer ${hashed(hashed(KEY))}`, `Basic ${bare(KEY)}`]) {
    expect((await ask("GET", "/v1/runs", undefined, { authorization })).status).toBe(401);
  }
}

/** Tokens of every kind, used and misused. */
async function mint(): Promise<void> {
  const topics = [{ channel: "chat", name: "news", kind: "run" }];
  const listen = await engine.api("POST", "/v1/realtime/token", topics);
  const runId = "01JD2QV6Z9M4N8R3T5W7X1Y2A4";
  const data = { domain: "https://app.example.com", method: "POST", path: "/x", query_params: "", content_type: "" };
  const body = { run_id: runId, event: { name: "inngest/http.request", data: { ...data, body: MARKER } } };
  const steps = [{ id: "s", op: "StepRun", name: "s", data: 1 }];
  const begun = await engine.api("POST", "/v1/checkpoint", { ...body, steps });
  const tokens = z.object({ jwt: z.string() }).parse(listen.json);
  const given = z
    .object({ data: z.object({ token: z.string(), realtime_token: z.string() }) })
    .parse(begun.json, { error: () => begun.text });
  minted.push(tokens.jwt, given.data.token, given.data.realtime_token);
  const anonymous = { authorization: "" };
  for (const token of minted) {
    await ask("GET", `/v1/realtime/connect?token=${token}`, undefined, anonymous);
    await ask("GET", `/v1/checkpoint/${runId}/output?token=${token}x`, undefined, anonymous);
    await ask("POST", "/v1/realtime/publish?channel=chat&topic=news", {}, { authorization: `Bearer ${token}` });
  }
}

/** Stored keys of every kind, used and misused (SE-2): values that nobody has but whoever made them. */
async function makeKeys(): Promise<void> {
  const value = z.object({ key: z.string() });
  const api = async (method: string, path: string, body: unknown, key = KEY) =>
    (await engine.api(method, path, body, { authorization: `Bearer ${key}` })).json;
  const { data: environment } = z
    .object({ data: z.object({ signing_key: value, event_key: value }) })
    .parse(await api("POST", "/v1/environments", { name: "canaries" }));
  const [signing, event] = [environment.signing_key.key, environment.event_key.key];
  const rotated = z
    .object({ data: z.object({ created: value }) })
    .parse(await api("POST", "/v1/keys/signing/rotate", { phase: "create" }, signing));
  const made = z
    .object({ data: value })
    .parse(await api("POST", "/v1/keys/api", { name: "tool", scope: "admin" }, signing));
  const next = rotated.data.created.key;
  const tool = made.data.key;
  minted.push(...[signing, next].flatMap((key) => [bare(key), bare(hashed(key))]), event, tool);
  expect((await ask("POST", `/e/${event}`, { name: "canary/stored" })).status).toBe(200);
  expect((await ask("POST", `/e/${event}`, "not json")).status).toBe(400);
  expect((await ask("POST", `/e/${tool}`, { name: "canary/stored" })).status).toBe(401);
  for (const key of [signing, hashed(next), tool]) {
    const authorization = `Bearer ${key}`;
    const bad = await ask("POST", "/fn/register", "not json", { authorization });
    expect(bad.status).toBe(400);
    for (const path of [
      "/v1/environments",
      "/v1/keys/events",
      "/v1/keys/signing",
      "/v1/keys/api",
      "/v2/keys/signing",
    ]) {
      await ask("GET", path, undefined, { authorization });
    }
  }
}

/** A webhook that works and fails, with a secret in a header of its provider (SE-14): of both, only the log of failures has anything. */
async function deliver(): Promise<void> {
  const transform =
    "(evt, headers) => { if (evt.fail) throw new Error('no'); return { name: 'canary/webhook', data: evt } }";
  const { json, text } = await engine.api("POST", "/v1/webhooks", { name: "canaries", transform });
  const { id, url } = z
    .object({ data: z.object({ id: z.string(), url: z.string() }) })
    .parse(json, { error: () => text }).data;
  const secret = "canary-provider-93ab";
  minted.push(secret, url.slice(url.lastIndexOf("/") + 1));
  const path = new URL(url).pathname;
  for (const [body, status] of [
    [{ n: 1 }, 200],
    [{ fail: true }, 412],
  ] as const) {
    expect((await ask("POST", path, body, { "x-provider-token": secret })).status).toBe(status);
  }
  expect((await ask("GET", path)).status).toBe(405);
  await ask("GET", `/v1/webhooks/${id}/deliveries`);
  await ask("GET", "/v1/events?limit=100");
}

/** Everything the API says about a run and its event. */
async function read(eventId: string, runId: string): Promise<void> {
  for (const path of ["", "/jobs", "/why", "/trace", "/trace?outputs=true"])
    await ask("GET", `/v1/runs/${runId}${path}`);
  for (const path of ["/actions", "/batch"]) await ask("GET", `/v0/runs/${runId}${path}`);
  for (const path of ["", "/runs"]) await ask("GET", `/v1/events/${eventId}${path}`);
  for (const path of ["/v1/runs?limit=100", "/v1/events?limit=100", "/v1/apps", "/v1/apps/canaries/syncs", "/"]) {
    await ask("GET", path);
  }
}

/** A server that answers, refuses, moves and cuts off; what it refuses, it quotes. */
function reply({ url, headers }: Asked) {
  const quoted = JSON.stringify([headers, url.search]);
  if (url.pathname === "/cut") return { cut: true } as const;
  if (url.pathname === "/moved") return { status: 302, headers: { location: `/found${url.search}` } };
  if (url.pathname === "/refused") return { status: 401, json: { error: `Not these: ${quoted}` } };
  return { json: { said: MARKER } };
}

it("SE-2, SE-14, OB-13: no secret is found in anything that is stored, logged or answered", {
  timeout: 90_000,
}, async () => {
  await register();
  await fail();
  await mint();
  await makeKeys();
  await deliver();
  const sent: string[] = [];
  await withEcho(
    (asked) => {
      sent.push(JSON.stringify([asked.headers, asked.url.href]));
      return reply(asked);
    },
    async ({ origin }) => {
      for (const [name, output] of [
        ["asks", 9],
        ["tells", MARKER],
      ] as const) {
        const [id = ""] = await engine.send({ name: `canary/${name}`, data: { origin, marker: MARKER } });
        const [run] = await engine.ended(id);
        expect(run, JSON.stringify(run?.output)).toMatchObject({ status: "Completed", output });
        // History has it a second later.
        await engine.until(async () => (await ask("GET", "/v1/runs?limit=100")).text.includes(run?.run_id ?? ""));
        await read(id, run?.run_id ?? "");
      }
    },
  );
  // What a server answers to `step.fetch` is the app's and kept as it came, and this one quotes what it was sent.
  const quotedBack = new Set([GIVEN.bearer, GIVEN.cookie, GIVEN.custom, GIVEN.query]);
  for (const given of [GIVEN.bearer, GIVEN.cookie, GIVEN.custom, GIVEN.query, GIVEN.model, BASIC]) {
    expect(sent.join("\n"), "it was sent where it was to go").toContain(given);
  }
  for (const found of [MARKER, "canary/asks"]) {
    expect(await filesWith(state.dir, found)).not.toEqual([]);
    expect(answers.join("\n")).toContain(found);
  }
  const own = [KEY, FALLBACK].flatMap((key) => [bare(key), bare(hashed(key))]);
  const given = [...Object.values(GIVEN), BASIC].filter((secret) => !quotedBack.has(secret));
  for (const secret of [...own, EVENT_KEY, ROOT_SECRET, ...minted, ...given]) {
    expect(await filesWith(state.dir, secret), secret).toEqual([]);
    const told = [...lines, ...answers].filter((text) => text.includes(secret));
    expect(told, secret).toEqual([]);
  }
  for (const secret of quotedBack) expect(await filesWith(state.dir, secret), "the search finds").not.toEqual([]);
});
