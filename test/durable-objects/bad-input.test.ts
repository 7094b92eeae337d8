import { beforeAll, describe, expect, it, vi } from "vitest";
import { router } from "../../src/api/router.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { bindings } from "./records.ts";
import { registerFunctions } from "./registered.ts";

/** What a path may carry besides ids. */
const ODD = [
  "no-such-thing",
  "%00",
  "'; DROP TABLE runs; --",
  "日本",
  "..%2f..",
  "x".repeat(3000),
  "01ARZ3NDEKTSV4RRFFQ69G5FAV",
];

/** Bodies that are nothing any route asks for. */
const BODIES = [
  "",
  "null",
  "7",
  '"text"',
  "[]",
  "[[]]",
  "{",
  "nonsense",
  '{"a":',
  `${"[".repeat(500)}${"]".repeat(500)}`,
];

const mounted = [
  ...new Map(
    router.routes
      .filter(({ method, path }) => /^(?:\/api)?\/v[12]\//.test(path) && !path.includes("*") && method !== "ALL")
      .map(({ method, path }) => [`${method} ${path}`, { method, path }] as const),
  ),
];

/** Routes that take no body, whatever it is, or any. */
const CONTENT = /\/(?:resume|archive|unarchive|cancel|realtime\/publish|syncs?|tee)$/;

async function ask(method: string, path: string, body?: string): Promise<{ status: number; text: string }> {
  const response = await router.request(path, { method, ...(body === undefined ? {} : { body }) }, bindings);
  return { status: response.status, text: await response.text() };
}

function filled(path: string, value: string): string {
  return path.replace(/:\w+/g, value.includes("%") ? value : encodeURIComponent(value));
}

beforeAll(async () => {
  await ensureSchema(db());
  await registerFunctions(db(), LOCAL.id, { "shop-any": ["any"] });
  // No route may call anything because of what it was sent.
  vi.stubGlobal("fetch", async () => new Response("nobody", { status: 404 }));
});

function db(): D1Database {
  return bindings.DB;
}

describe("SE-15, API-4: what nobody knows is 404, whatever its name looks like", () => {
  const reading = mounted.filter(([, { method, path }]) => method === "GET" && path.includes(":"));

  it.each(reading)("%s", async (_title, { method, path }) => {
    for (const value of ODD) {
      const { status, text } = await ask(method, filled(path, value));
      expect([200, 400, 404], `${path} with ${value.slice(0, 40)}: ${text}`).toContain(status);
      expect(text).not.toMatch(/internal_error|SQLITE|D1_ERROR/);
    }
  });
});

describe("SE-15, API-4: parameters that are not understood are 400", () => {
  const lists = mounted.filter(([, { method, path }]) => method === "GET" && !path.includes(":"));

  it.each(lists)("%s", async (title, { method, path }) => {
    for (const query of [
      "limit=ten",
      "cursor=%00",
      "from=yesterday",
      "status=%27",
      "q=%28",
      "order=up",
      "name=",
      "colour=red",
    ]) {
      const { status, text } = await ask(method, `${path}?${query}`);
      expect(status, `${title}?${query}: ${text}`).toBeLessThan(500);
      expect(text).not.toMatch(/internal_error|SQLITE|D1_ERROR/);
    }
  });
});

describe("SE-15, API-4: bodies that are not understood are refused with a code", () => {
  const writing = mounted.filter(([, { method }]) => method !== "GET");

  it.each(writing)("%s", async (title, { method, path }) => {
    for (const body of BODIES) {
      const { status, text } = await ask(method, filled(path, "no-such-thing"), body);
      expect(text, `${title} with ${body.slice(0, 20)}`).not.toMatch(/internal_error|SQLITE|D1_ERROR/);
      if (status === 501 || (CONTENT.test(path) && status < 500)) continue;
      expect(status, `${title} with ${body.slice(0, 20)}: ${text}`).toBeGreaterThanOrEqual(
        method === "DELETE" ? 200 : 400,
      );
      expect(status).toBeLessThan(500);
    }
  });
});
