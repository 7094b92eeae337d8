import { beforeAll, describe, expect, it } from "vitest";
import { NO_FILTERS } from "../../../src/keys/filter.ts";
import { WEBHOOK } from "../../../src/limits.ts";
import { defaultTransform } from "../../../src/webhooks/default-transform.ts";
import { accountKey, ask, branchKeys, cloud, customEnvironment } from "../cloud.ts";
import { inDatabase } from "../isolation/contents.ts";
import { ALL, eventOf, post, webhook } from "./world.ts";

const UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const CONSTANT = "() => ({ name: 'hook/x', data: { n: 1 } })";

let account = "";
let staging = { id: "", signingKey: "", eventKey: "" };

beforeAll(async () => {
  account = await accountKey();
  staging = await customEnvironment("staging");
});

describe("API-19: webhooks over REST", () => {
  it("one is made with its name alone, and is listed and read with its URL", async () => {
    const made = await webhook({ name: "Acme App" });
    expect(made).toEqual({
      id: expect.any(String),
      name: "Acme App",
      url: expect.stringMatching(/^http:\/\/localhost\/e\/wh_[\w-]{43}$/),
      transform: defaultTransform("Acme App"),
      response: null,
      filters: NO_FILTERS,
      created_at: expect.any(String),
      used_at: null,
    });
    expect((await ask("GET", `/v1/webhooks/${made.id}`)).body.data).toEqual(made);
    expect((await ask("GET", "/v1/webhooks")).body.data).toContainEqual(made);
    await post(made.url, "{}");
    expect((await ask("GET", `/v1/webhooks/${made.id}`)).body.data.used_at).toEqual(expect.any(String));
  });

  it("each field is changed by itself, and the URL stays", async () => {
    const made = await webhook({ name: "before", transform: CONSTANT });
    const change = async (body: object) => (await ask("PUT", `/v1/webhooks/${made.id}`, body)).body.data;
    expect(await change({ name: "after" })).toEqual({ ...made, name: "after" });
    expect(await change({ transform: ALL })).toEqual({ ...made, name: "after", transform: ALL });
    const response = { status: 202, content_type: "text/xml", body: "<ok/>" };
    expect(await change({ response })).toMatchObject({ transform: ALL, response, filters: NO_FILTERS });
    const filters = { ...NO_FILTERS, names: { allow: ["hook/*"], deny: [] } };
    expect(await change({ filters: { names: { allow: ["hook/*"] } } })).toMatchObject({ response, filters });
    expect(await change({ response: null })).toMatchObject({ response: null, filters, url: made.url });
    expect(await change({})).toMatchObject({ name: "after", transform: ALL, response: null, filters });
    expect((await post(made.url, "7")).json.ids).toHaveLength(1);
  });

  it("a deleted one is gone, and so is its URL", async () => {
    const made = await webhook({ name: "short-lived" });
    expect((await post(made.url, "{}")).status).toBe(200);
    expect((await ask("DELETE", `/v1/webhooks/${made.id}`)).body).toEqual({ ok: true });
    expect((await post(made.url, "{}")).json).toEqual({
      ids: [],
      status: 401,
      code: "event_key_not_found",
      error: "Event key not found",
    });
    for (const [method, path] of [
      ["GET", ""],
      ["PUT", ""],
      ["DELETE", ""],
      ["POST", "/test"],
      ["GET", "/deliveries"],
      ["GET", `/deliveries/${UNKNOWN}`],
      ["POST", `/deliveries/${UNKNOWN}/replay`],
    ] as const) {
      const gone = await ask(method, `/v1/webhooks/${made.id}${path}`, method === "GET" ? undefined : {});
      expect(gone).toMatchObject({ status: 404, body: { code: "webhook_not_found" } });
    }
    expect(JSON.stringify(await inDatabase())).not.toContain(made.id);
  });

  it("is no event key: it is neither listed nor revealed among them", async () => {
    const { id } = await webhook({ name: "no key" });
    expect((await ask("GET", "/v1/keys/events")).text).not.toContain(id);
    expect((await ask("POST", `/v1/keys/events/${id}/reveal`)).status).toBe(404);
    expect((await ask("DELETE", `/v1/keys/events/${id}`)).status).toBe(404);
  });

  it("the URL is that of MILLRACE_PUBLIC_URL, with its path", async () => {
    const deployment = { ...cloud, MILLRACE_PUBLIC_URL: "https://engine.example/millrace/" };
    const { url } = await webhook({ name: "behind a proxy" }, { deployment });
    expect(url).toMatch(/^https:\/\/engine\.example\/millrace\/e\/wh_/);
    expect((await post(url, "{}", { deployment })).status).toBe(200);
  });

  it.each([
    ["no name", {}],
    ["an empty name", { name: "" }],
    ["a transform that is no text", { name: "x", transform: 7 }],
    ["a transform that is no JavaScript", { name: "x", transform: "function transform(evt) {" }],
    ["a transform that is too long", { name: "x", transform: `//${"x".repeat(WEBHOOK.sourceBytes)}` }],
    ["a status that refuses", { name: "x", response: { status: 400 } }],
    ["a status that redirects", { name: "x", response: { status: 302 } }],
    ["a body without content", { name: "x", response: { status: 204, body: "x" } }],
    ["a header in the content type", { name: "x", response: { status: 200, content_type: "text/html\r\nx: y" } }],
    ["filters of another form", { name: "x", filters: { names: ["x"] } }],
  ])("with %s none is made, nor changed", async (_, body) => {
    const refused = await ask("POST", "/v1/webhooks", body);
    expect(refused).toMatchObject({ status: 400, body: { code: "invalid_request" } });
    const made = await webhook({ name: "stays" });
    if ("name" in body && body.name !== "") {
      expect((await ask("PUT", `/v1/webhooks/${made.id}`, body)).body.code).toBe("invalid_request");
    }
    expect((await ask("GET", `/v1/webhooks/${made.id}`)).body.data).toEqual(made);
  });

  it("the refusal of a transform names what is wrong with it", async () => {
    const refused = await ask("POST", "/v1/webhooks", { name: "x", transform: "function transform(evt) { return" });
    expect(refused.body.error).toMatch(/^The transform cannot be used: SyntaxError: ./);
  });

  it("what a source does when it is stored is nothing", async () => {
    for (const transform of ["throw new Error('at once')", "for (;;);", "});for(;;);({"]) {
      const answer = await ask("POST", "/v1/webhooks", { name: "odd", transform });
      expect([200, 400]).toContain(answer.status);
    }
  });

  it("needs an admin key", async () => {
    const made = await webhook({ name: "guarded" }, { key: staging.signingKey });
    for (const scope of ["read", "write"]) {
      const tool = await ask("POST", "/v1/keys/api", { name: "a tool", scope }, { key: staging.signingKey });
      const key = tool.body.data.key;
      expect((await ask("GET", "/v1/webhooks", undefined, { key })).status).toBe(403);
      expect((await ask("GET", `/v1/webhooks/${made.id}`, undefined, { key })).status).toBe(403);
      expect((await ask("GET", "/v2/env/webhooks", undefined, { key })).status).toBe(403);
      expect((await ask("POST", "/v2/env/webhooks", { name: "x" }, { key })).status).toBe(403);
    }
    expect((await ask("GET", "/v1/webhooks", undefined, { key: null })).status).toBe(401);
  });

  it("of another environment there is none", async () => {
    const made = await webhook({ name: "of staging" }, { key: staging.signingKey });
    expect((await ask("GET", "/v1/webhooks")).text).not.toContain(made.id);
    for (const [method, path] of [
      ["GET", ""],
      ["PUT", ""],
      ["DELETE", ""],
      ["POST", "/test"],
    ] as const) {
      const answer = await ask(method, `/v1/webhooks/${made.id}${path}`, method === "GET" ? undefined : {});
      expect(answer.body.code).toBe("webhook_not_found");
    }
    expect((await post(made.url, "{}")).status).toBe(200);
  });

  it("without MILLRACE_SECRET none is made, and those there are work without being shown", async () => {
    const { url, id } = await webhook({ name: "sealed" });
    const { MILLRACE_SECRET: _, ...deployment } = cloud;
    const refused = await ask("POST", "/v1/webhooks", { name: "x" }, { deployment });
    expect(refused).toMatchObject({ status: 503, body: { code: "not_configured" } });
    expect((await ask("GET", `/v1/webhooks/${id}`, undefined, { deployment })).body.data.url).toBeNull();
    expect((await post(url, "{}", { deployment })).status).toBe(200);
  });
});

describe("API-22: webhooks over v2", () => {
  it("are made and listed", async () => {
    const made = await ask("POST", "/v2/env/webhooks", { name: "over v2", transform: CONSTANT });
    expect(made.body.data).toEqual({
      id: expect.any(String),
      name: "over v2",
      url: expect.stringContaining("/e/wh_"),
      transform: CONSTANT,
      createdAt: expect.any(String),
    });
    expect((await ask("GET", "/v2/env/webhooks")).body.data).toContainEqual(made.body.data);
    expect((await post(made.body.data.url, "")).json.ids).toHaveLength(1);
    expect((await ask("POST", "/v2/env/webhooks", { name: "x", transform: "{" })).status).toBe(400);
  });
});

describe("API-19: trying a transform", () => {
  it("answers the events and stores nothing", async () => {
    const { id } = await webhook({ name: "tried", transform: ALL });
    const body = { body: { a: "tried-canary" }, headers: { "x-one": "1" }, query: "a=1&a=2" };
    const { events, failure } = (await ask("POST", `/v1/webhooks/${id}/test`, body)).body.data;
    expect(failure).toBeNull();
    const data = {
      evt: { a: "tried-canary" },
      headers: { "X-One": "1" },
      queryParams: { a: ["1", "2"] },
      raw: '{"a":"tried-canary"}',
    };
    expect(events).toEqual([{ name: "hook/all", data, id: null, ts: null, v: null, user: {} }]);
    const text = await ask("POST", `/v1/webhooks/${id}/test`, { body: '{ "a": 1 }' });
    expect(text.body.data.events[0].data).toMatchObject({ evt: { a: 1 }, raw: '{ "a": 1 }' });
    expect(JSON.stringify(await inDatabase())).not.toContain("tried-canary");
    expect((await ask("GET", `/v1/webhooks/${id}/deliveries`)).body.data).toEqual([]);
  });

  it("answers why it failed, also of one that is not stored yet", async () => {
    const { id } = await webhook({ name: "tried", transform: "(evt) => evt.no.such" });
    const failed = await ask("POST", `/v1/webhooks/${id}/test`, { body: {} });
    expect(failed).toMatchObject({ status: 200, body: { data: { events: null, failure: { name: "TypeError" } } } });
    const fixed = await ask("POST", `/v1/webhooks/${id}/test`, { body: {}, transform: CONSTANT });
    expect(fixed.body.data.events).toMatchObject([{ name: "hook/x" }]);
  });

  it("headers that no request can have are refused", async () => {
    const { id } = await webhook({ name: "tried" });
    const refused = await ask("POST", `/v1/webhooks/${id}/test`, { headers: { "a b": "c" } });
    expect(refused).toMatchObject({ status: 400, body: { code: "invalid_request" } });
  });
});

describe("EV-29: deliveries", () => {
  it("become events whose source is the webhook", async () => {
    const { url } = await webhook({
      name: "Stripe",
      transform: "(evt) => ({ name: 'stripe/' + evt.type, data: evt })",
    });
    const { json } = await post(url, '{"type":"charge.failed"}');
    expect(json).toEqual({ ids: [expect.any(String)], status: 200 });
    expect(await eventOf(json.ids[0])).toMatchObject({
      name: "stripe/charge.failed",
      data: { type: "charge.failed" },
      source: "webhook: Stripe",
    });
  });

  it("several, one or none, as the transform returns", async () => {
    const transform = "(n) => n === 0 ? null : Array.from({ length: n }, (_, i) => ({ name: 'hook/n', data: { i } }))";
    const { url } = await webhook({ name: "several", transform });
    for (const n of [0, 1, 3]) {
      const { ids, status } = (await post(url, String(n))).json;
      expect(status).toBe(200);
      const events = await Promise.all(ids.map((id: string) => eventOf(id)));
      expect(events.map(({ data }) => data)).toEqual(Array.from({ length: n }, (_, i) => ({ i })));
    }
  });

  it("EV-15: an id of the transform deduplicates, a seed in the header means nothing", async () => {
    const { url } = await webhook({ name: "twice", transform: "(evt) => ({ id: evt.id, name: 'hook/twice' })" });
    const headers = { "x-inngest-event-id-seed": `${Date.now()},AAAAAAAAAAAAAA==` };
    const [one, two] = [await post(url, '{"id":"evt_1"}', { headers }), await post(url, '{"id":"evt_1"}', { headers })];
    expect(one.json.ids[0]).not.toBe(two.json.ids[0]);
    expect(await eventOf(two.json.ids[0])).toMatchObject({ id: "evt_1", duplicate: true });
  });

  it("EV-33: raw and header values are as they came, with a byte order mark", async () => {
    const { url } = await webhook({ name: "signed", transform: ALL });
    const body = '\ufeff{ "a":  "ü💧" }\r\n';
    const { json } = await post(`${url}?q=%C3%BC`, body, { headers: { "x-sig": " a=1,  b " } });
    const { data } = await eventOf(json.ids[0]);
    expect(data).toMatchObject({ evt: { a: "ü💧" }, raw: body, queryParams: { q: ["ü"] } });
    expect(data.headers).toMatchObject({ "X-Sig": "a=1,  b" });
  });

  it("EV-31: a form with a file is refused and not logged", async () => {
    const { url, id } = await webhook({ name: "form", transform: ALL });
    const form = new FormData();
    form.append("upload", new File(["text"], "f.txt"));
    expect((await post(url, form)).json).toMatchObject({ status: 400, code: "body_invalid", ids: [] });
    expect((await ask("GET", `/v1/webhooks/${id}/deliveries`)).body.data).toEqual([]);
  });

  it("EV-5: one that is too large is refused", async () => {
    const { url } = await webhook({ name: "large", transform: ALL });
    const deployment = { ...cloud, MILLRACE_MAX_REQUEST_BYTES: String(1024 * 1024) };
    expect((await post(url, "x".repeat(1024 * 1024 + 1), { deployment })).json.code).toBe("request_too_large");
  });

  it("EV-19: filters judge names after the transform, and addresses before it", async () => {
    const filters = { names: { allow: ["shop/*"] }, ips: { allow: ["203.0.113.0/24"] } };
    const made = await webhook({ name: "picky", transform: "(evt) => ({ name: evt })", filters });
    const from = (ip: string, name: string) =>
      post(made.url, JSON.stringify(name), { headers: { "cf-connecting-ip": ip } });
    expect((await from("203.0.113.9", "shop/x")).status).toBe(200);
    const refused = { ids: [], status: 403, code: "event_filtered" };
    expect((await from("203.0.113.9", "crm/filtered")).json).toMatchObject(refused);
    expect((await from("198.51.100.9", "shop/x")).json).toMatchObject(refused);
    expect(JSON.stringify(await inDatabase())).not.toContain("crm/filtered");
    expect((await ask("GET", `/v1/webhooks/${made.id}/deliveries`)).body.data).toEqual([]);
  });

  it("are answered as the webhook says, and never with a page of the engine's origin", async () => {
    const response = { status: 201, content_type: "text/html", body: "<script>1</script>" };
    const { url } = await webhook({ name: "answers", transform: CONSTANT, response });
    const { status, text, headers } = await post(url, "{}");
    expect([status, text, headers.get("content-type")]).toEqual([201, response.body, "text/html"]);
    expect(headers.get("content-security-policy")).toContain("sandbox");
    expect(headers.get("x-inngest-server-kind")).toBe("cloud");
    const page = await post(url, "{}", { headers: { origin: "https://shop.example" } });
    expect(page.headers.get("access-control-allow-origin")).toBe("https://shop.example");
    const empty = await webhook({ name: "says nothing", transform: CONSTANT, response: { status: 204 } });
    expect(await post(empty.url, "{}")).toMatchObject({ status: 204, text: "" });
    const plain = await webhook({ name: "ok", transform: CONSTANT, response: { status: 200, body: "ok" } });
    expect((await post(plain.url, "{}")).headers.get("content-type")).toBe("text/plain; charset=utf-8");
    const failing = await webhook({ name: "fails", transform: "() => 7", response });
    expect((await post(failing.url, "{}")).json).toMatchObject({ status: 412, code: "transform_failed" });
  });

  it("SE-18: one that a run sends counts in its chain", async () => {
    const { url } = await webhook({ name: "chain", transform: CONSTANT });
    const { json } = await post(url, "{}", { headers: { tracestate: "other=1,millrace=7" } });
    const row = await cloud.DB.prepare("SELECT depth FROM events WHERE internal_id = ?1").bind(json.ids[0]).first();
    expect(row).toEqual({ depth: 7 });
  });

  it("an event key's URL runs no transform, a webhook's accepts POST only", async () => {
    expect((await post(`/e/${staging.eventKey}`, "a=1")).json.code).toBe("body_invalid");
    const { url } = await webhook({ name: "post" });
    const { pathname } = new URL(url);
    for (const method of ["GET", "PUT"]) expect((await ask(method, pathname)).status).toBe(405);
  });

  it("dev mode has webhooks too, and one that is gone is no event key", async () => {
    const deployment = { ...cloud, MILLRACE_MODE: "dev" };
    const asking = { key: null, deployment };
    const { url, id } = await webhook({ name: "local", transform: CONSTANT }, asking);
    const { json } = await post(url, '{"name":"not/this"}', { deployment });
    expect(await eventOf(json.ids[0], asking)).toMatchObject({ name: "hook/x", source: "webhook: local" });
    await ask("DELETE", `/v1/webhooks/${id}`, undefined, asking);
    expect((await post(url, '{"name":"not/this"}', { deployment })).status).toBe(401);
  });
});

describe("EV-25, EV-34: webhooks of branches", () => {
  let eventKey = "";
  beforeAll(async () => {
    ({ eventKey } = await branchKeys(account));
    await ask("POST", `/e/${eventKey}`, { name: "x" }, { key: null, headers: { "x-inngest-env": "branch-1" } });
  });

  const environments = async () =>
    (await ask("GET", "/v1/environments")).body.data as { id: string; name: string; archived_at: string | null }[];
  /** The name of the environment that an event is in. */
  const placeOf = async (id: string) => {
    const event = cloud.DB.prepare("SELECT environment_id FROM events WHERE internal_id = ?1").bind(id);
    const environmentId = await event.first<string>("environment_id");
    return (await environments()).find((each) => each.id === environmentId)?.name;
  };

  it("the branch is named by parameter or header; without a known one the event is parked", async () => {
    const { url, id } = await webhook({ name: "shared", transform: CONSTANT }, { key: account, of: "branch-1" });
    const listed = await ask("GET", "/v1/webhooks", undefined, { key: account, of: "branches" });
    expect(listed.body.data).toMatchObject([{ id }]);
    const place = async (query: string, headers: Record<string, string> = {}) =>
      await placeOf((await post(`${url}${query}`, "{}", { headers })).json.ids[0]);
    expect(await place("?x-inngest-env=branch-1")).toBe("branch-1");
    expect(await place("", { "x-inngest-env": "branch-1" })).toBe("branch-1");
    expect(await place("?x-inngest-env=branch-1", { "x-inngest-env": "other" })).toBe("branch-1");
    expect(await place("")).toBe("branches");
    expect(await place("?x-inngest-env=unknown")).toBe("branches");
    expect(await place(`?x-inngest-env=${"x".repeat(300)}`)).toBe("branches");
    expect((await environments()).map(({ name }) => name)).not.toContain("unknown");
  });

  it("a parameter means nothing to an event key", async () => {
    const { body } = await ask("POST", `/e/${eventKey}?x-inngest-env=by-parameter`, { name: "x" }, { key: null });
    expect(await placeOf(body.ids[0])).toBe("branches");
    expect((await environments()).map(({ name }) => name)).not.toContain("by-parameter");
  });

  it("one that is run again goes to the branch it named", async () => {
    const broken = await webhook(
      { name: "broken", transform: "(evt) => evt.no.such" },
      { key: account, of: "branches" },
    );
    expect((await post(`${broken.url}?x-inngest-env=branch-1`, "{}")).status).toBe(412);
    const asking = { key: account, of: "branches" };
    const path = `/v1/webhooks/${broken.id}`;
    await ask("PUT", path, { transform: CONSTANT }, asking);
    const [{ id }] = (await ask("GET", `${path}/deliveries`, undefined, asking)).body.data;
    const { body } = await ask("POST", `${path}/deliveries/${id}/replay`, undefined, asking);
    expect(await placeOf(body.data.ids[0])).toBe("branch-1");
  });
});
