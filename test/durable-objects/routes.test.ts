import { describe, expect, it } from "vitest";
import { descriptionOf } from "../../src/api/openapi/described.ts";
import { router } from "../../src/api/router.ts";
import { OPERATIONS } from "../../src/api/v2/operations.ts";
import type { Bindings } from "../../src/bindings.ts";
import { bindings } from "./records.ts";

const KEY = "ab".repeat(16);
const cloud: Bindings = {
  ...bindings,
  MILLRACE_MODE: "cloud",
  INNGEST_SIGNING_KEY: `signkey-prod-${KEY}`,
  INNGEST_EVENT_KEY: "an-event-key",
};
const bearer = { authorization: `Bearer signkey-prod-${KEY}` };
const RUN = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/** A mounted route, middleware left out. */
interface Mounted {
  readonly method: string;
  readonly path: string;
}

const mounted: readonly Mounted[] = [
  ...new Map(
    router.routes
      .filter(({ path }) => !path.includes("*"))
      .map(({ method, path }) => [`${method} ${path}`, { method: method === "ALL" ? "GET" : method, path }]),
  ).values(),
];

function ask({ method, path }: Mounted, headers: Record<string, string> = {}, env = cloud): Promise<Response> {
  const filled = path.replace(/\/:\w+\?$/, "").replace(/:\w+/g, RUN);
  const body = method === "GET" || method === "HEAD" ? {} : { body: "{}" };
  return Promise.resolve(router.request(filled, { method, headers, ...body }, env));
}

const titled = mounted.map((route) => [`${route.method} ${route.path}`, route] as const);

/** What needs no key (SE-1), with what a stranger gets. */
const OPEN: Readonly<Record<string, number>> = {
  "GET /health": 200,
  "GET /v2/health": 200,
  "GET /api/v2/health": 200,
  "GET /": 200,
  "GET /e/:key?": 405,
  "POST /v0/telemetry": 200,
};

/** What exists in dev mode only. */
const DEV = /^\w+ \/(?:dev|test|fn\/(?:step|state-size)-limit|mcp|metrics$|v0\/gql$)/;

describe("SE-1: closed by default", () => {
  it("there are routes to walk", () => {
    expect(mounted.length).toBeGreaterThan(100);
  });

  it.each(titled)("%s refuses a stranger in cloud mode", async (title, route) => {
    const response = await ask(route);
    await response.body?.cancel();
    expect(DEV.test(title) ? [401, 404] : [OPEN[title] ?? 401]).toContain(response.status);
  });
});

describe("API-4: what every reply has", () => {
  it.each(titled)("%s names the server's kind and the request", async (_title, route) => {
    const response = await ask(route, { "x-request-id": "mine-1" });
    await response.body?.cancel();
    expect(response.headers.get("x-inngest-server-kind")).toBe("cloud");
    expect(response.headers.get("x-request-id")).toBe("mine-1");
  });

  it("a request id that could forge a line of the log is replaced", async () => {
    const response = await router.request("/health", { headers: { "x-request-id": "a b\tc" } }, cloud);
    expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("a deployment whose settings are wrong still names the request", async () => {
    const response = await router.request("/v1/runs", {}, { ...cloud, INNGEST_SIGNING_KEY: "no key" });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ status: 503, code: "not_configured", data: null });
    expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    ["/v1/nothing", { status: 404, code: "not_found", error: "No route /v1/nothing", data: null }],
    ["/v2/nothing", { errors: [{ code: "not_found", message: "No route /v2/nothing" }] }],
    ["/api/v2/nothing", { errors: [{ code: "not_found", message: "No route /api/v2/nothing" }] }],
  ])("%s is no route", async (path, body) => {
    const response = await router.request(path, { headers: bearer }, cloud);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual(body);
  });
});

it("API-23: without pages there is neither a home page nor GraphQL, whatever the key", async () => {
  const bare = { ...cloud, MILLRACE_NO_UI: "1" };
  const graphql = { method: "POST", headers: bearer, body: JSON.stringify({ query: "{ apps { id } }" }) };
  expect((await router.request("/v0/gql", graphql, cloud)).status).toBe(200);
  expect((await router.request("/v0/gql", graphql, bare)).status).toBe(404);
  expect((await router.request("/", {}, bare)).status).toBe(404);
  expect((await router.request("/v1/runs", { headers: bearer }, bare)).status).toBe(200);
});

describe("API-24: the documents describe what is mounted, and nothing else", () => {
  const versions = [
    ["/v1/openapi.json", "/v1/"],
    ["/v2/openapi.json", "/v2/"],
  ] as const;

  it.each(versions)("%s", async (address, prefix) => {
    const response = await router.request(address, { headers: bearer }, cloud);
    expect(response.headers.get("content-type")).toBe("application/json");
    const { openapi, paths } = (await response.json()) as {
      openapi: string;
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    expect(openapi).toBe("3.1.0");
    const said = Object.entries(paths).flatMap(([path, entry]) =>
      Object.keys(entry).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const real = mounted
      .filter(({ path }) => path.startsWith(prefix))
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
    expect(said.sort()).toEqual(real.sort());
    const ids = Object.values(paths).flatMap((entry) => Object.values(entry).map(({ operationId }) => operationId));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("every route says what it is itself, so that nothing is described that is not there", () => {
    const described = router.routes.filter(({ handler }) => descriptionOf(handler) !== null);
    expect(described.every(({ path }) => /^(?:\/api)?\/v[12]\//.test(path))).toBe(true);
  });
});

describe("API-22: the catalogue", () => {
  it("lists every call with its tool and its arguments, and may be kept", async () => {
    const response = await router.request("/v2/operations", {}, bindings);
    expect(response.headers.get("cache-control")).toBe("private, max-age=300");
    const { data } = (await response.json()) as { data: { operations: { id: string; tool: string }[] } };
    expect(data.operations.map(({ id }) => id)).toEqual(OPERATIONS.map(({ id }) => id));
    expect(data.operations.find(({ tool }) => tool === "list_runs")).toMatchObject({
      method: "GET",
      path: "/v2/runs",
      arguments: {
        type: "object",
        properties: { limit: { type: "integer", minimum: 1, maximum: 100 }, includeOutput: { type: "boolean" } },
      },
    });
    expect(data.operations.find(({ tool }) => tool === "invoke_function")).toMatchObject({
      arguments: { required: ["appId", "functionId"], properties: { appId: {}, data: {}, idempotencyKey: {} } },
    });
  });

  it("is the same under both prefixes", async () => {
    const [one, other] = await Promise.all(
      ["/v2/operations", "/api/v2/operations"].map(async (path) => {
        const { data } = (await (await router.request(path, {}, bindings)).json()) as { data: unknown };
        return data;
      }),
    );
    expect(one).toEqual(other);
  });
});

describe("API-26: pages of other origins", () => {
  const foreign = { origin: "https://evil.example" };
  const own = { origin: "http://localhost" };

  it.each(["/v1/runs", "/v2/runs", "/v0/gql", "/v1/functions/x/pause"])(
    "may not call %s in cloud mode",
    async (path) => {
      for (const method of ["GET", "POST", "OPTIONS"]) {
        const response = await router.request(
          path,
          { method, headers: { ...bearer, ...foreign, cookie: "s=1" } },
          cloud,
        );
        expect(response.status).toBe(403);
        expect(response.headers.get("access-control-allow-origin")).toBeNull();
      }
    },
  );

  it("the engine's own pages may, also behind a proxy", async () => {
    const get = (headers: Record<string, string>, env = cloud) =>
      router.request("http://localhost/v1/runs", { headers: { ...bearer, ...headers } }, env);
    expect((await get(own)).status).toBe(200);
    expect((await get({})).status).toBe(200);
    const proxied = { ...cloud, MILLRACE_PUBLIC_URL: "https://engine.example" };
    expect((await get({ origin: "https://engine.example" }, proxied)).status).toBe(200);
    expect((await get({ origin: "null" })).status).toBe(403);
  });

  it.each([
    "/e/some-key",
    "/v1/realtime/token",
    "/fn/register",
    "/v1/checkpoint/x/async",
    "/v1/http/runs",
    "/invoke/x",
  ])("EV-14, RT-6: may call %s", async (path) => {
    const preflight = await router.request(path, { method: "OPTIONS", headers: foreign }, cloud);
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("https://evil.example");
    const call = await router.request(path, { method: "POST", headers: foreign, body: "{}" }, cloud);
    expect(call.headers.get("access-control-allow-origin")).toBe("https://evil.example");
    expect(call.headers.get("access-control-expose-headers")).toContain("Mcp-Session-Id");
  });

  it("may call everything in dev mode", async () => {
    const headers = { ...foreign, "access-control-request-private-network": "true" };
    const response = await router.request("/v1/runs", { method: "OPTIONS", headers }, bindings);
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-private-network")).toBe("true");
  });
});

describe("DEV-19: the hooks of test suites", () => {
  it.each(["/test", "/test/queue/function-queue-size?fnId=x"])("%s does not exist without TEST_MODE", async (path) => {
    expect((await router.request(path, {}, bindings)).status).toBe(404);
    expect((await router.request("/test", {}, { ...cloud, TEST_MODE: "true" })).status).toBe(404);
    expect((await router.request("/test", {}, { ...bindings, TEST_MODE: "true" })).status).toBe(200);
  });
});

describe("API-25: too many requests", () => {
  it.each([
    ["/v1/functions", { status: 429, code: "rate_limited" }],
    ["/v2/account", { errors: [{ code: "rate_limited" }] }],
  ])("%s is refused in the form of its version, with when to come again", async (path, body) => {
    const limited = { ...cloud, MILLRACE_READS_PER_MINUTE: "1" };
    const headers = { authorization: `Bearer ${path}` };
    await router.request(path, { headers }, limited);
    const response = await router.request(path, { headers }, limited);
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject(body);
  });
});

describe("API-27: health", () => {
  it("answers without a key, and reveals nothing", async () => {
    const response = await router.request("/health", {}, cloud);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 200, message: "OK" });
  });

  it("names the part that fails", async () => {
    const failing = () => {
      throw new Error("D1_ERROR: secret detail");
    };
    const broken: Bindings = { ...cloud, DB: { prepare: failing, batch: failing } as unknown as D1Database };
    const response = await router.request("/health", {}, broken);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: 503, message: "Storage fails: database", failing: ["database"] });
    const v2 = await router.request("/v2/health", {}, broken);
    expect(v2.status).toBe(503);
    expect(await v2.json()).toEqual({ errors: [{ code: "storage_failed", message: "Storage fails: database" }] });
  });

  it("names objects that fail", async () => {
    const getByName = () => ({ alive: () => Promise.reject(new Error("gone")) });
    const broken = { ...cloud, ENVIRONMENT: { getByName } } as unknown as Bindings;
    expect(await (await router.request("/health", {}, broken)).json()).toMatchObject({ failing: ["objects"] });
  });
});

describe("API-1: a path before the engine's own", () => {
  it("is that of the public URL", async () => {
    const env = { ...cloud, MILLRACE_PUBLIC_URL: "https://example.com/jobs/" };
    expect((await router.request("/jobs/health", {}, env)).status).toBe(200);
    expect((await router.request("/jobs/v1/runs", { headers: bearer }, env)).status).toBe(200);
    expect((await router.request("/health", {}, env)).status).toBe(200);
    expect((await router.request("/jobs/health", {}, cloud)).status).toBe(404);
  });
});
