/**
 * Every route of REST with a key of one environment and the ids of another (SE-8): nothing of the other is told, and nothing of it changes.
 */
import { beforeAll, expect, it, vi } from "vitest";
import { router } from "../../../src/api/router.ts";
import { accountKey, ask, customEnvironment, registration } from "../cloud.ts";
import { playApp } from "./app.ts";

/** ms; a busy machine may take its time. */
const PATIENCE = 20_000;
const CANARY = "canary-of-the-other";

/** What tokens and sockets open has tests of its own; the rest is all there is below these paths. */
const REST = /^(?:\/v1|\/v2)\/(?!realtime)/;

const routes = [
  ...new Map(
    router.routes
      .filter(({ path, method }) => REST.test(path) && !path.includes("*") && method !== "ALL")
      .map(({ path, method }) => [`${method} ${path}`, { path, method }]),
  ).values(),
];

let stranger = { id: "", signingKey: "", eventKey: "" };
let other = { id: "", signingKey: "", eventKey: "" };
let tool = "";
/** Ids of the other environment, of everything that has one. */
let ids: readonly string[] = [];

beforeAll(async () => {
  playApp({ "shop-echo": ({ event }) => ({ output: event.data }) });
  [stranger, other] = [await customEnvironment("stranger"), await customEnvironment(CANARY)];
  const key = other.signingKey;
  const triggers = { echo: [{ event: "canary/x" }] };
  await ask("POST", "/fn/register", { ...registration(triggers), framework: CANARY }, { key });
  const sent = await ask(
    "POST",
    `/e/${other.eventKey}`,
    { name: "canary/x", id: "mine", data: { of: CANARY } },
    { key },
  );
  const eventId: string = sent.body.ids[0];
  const run = await vi.waitFor(async () => {
    const { body } = await ask("GET", "/v1/runs", undefined, { key });
    expect(body.data).toMatchObject([{ status: "Completed", output: { of: CANARY } }]);
    return body.data[0];
  }, PATIENCE);
  const eventKey = await ask("POST", "/v1/keys/events", { name: CANARY }, { key });
  const apiKey = await ask("POST", "/v1/keys/api", { name: CANARY, scope: "read" }, { key });
  const [signingKey] = (await ask("GET", "/v1/keys/signing", undefined, { key })).body.data;
  const [app] = (await ask("GET", "/v1/apps", undefined, { key })).body.data;
  const made = await ask("POST", "/v1/keys/api", { name: "tool", scope: "admin" }, { key: stranger.signingKey });
  tool = made.body.data.key;
  ids = [
    run.run_id,
    eventId,
    "mine",
    run.function_id,
    "shop-echo",
    app.id,
    "shop",
    other.id,
    eventKey.body.data.id,
    apiKey.body.data.id,
    signingKey.id,
  ];
});

/** Who may see a run can follow it, for as long as there is one. */
const ENDLESS = /\/live$/;

/** What the routes of these methods say to a key: by route, whether the canary is in it. */
async function walk(
  methods: readonly string[],
  key: string,
  of?: string,
  without?: RegExp,
): Promise<Map<string, boolean>> {
  const told = new Map<string, boolean>();
  for (const { method, path } of routes.filter((route) => methods.includes(route.method))) {
    if (without?.test(path) === true) continue;
    const asking = { key, ...(of === undefined ? {} : { of }) };
    const body = method === "GET" ? undefined : {};
    const asked = path.includes(":") ? ids.map((id) => path.replace(/:\w+/g, id)) : [path];
    const answers = await Promise.all(asked.map((one) => ask(method, one, body, asking)));
    told.set(
      `${method} ${path}`,
      answers.some(({ text }) => text.includes(CANARY)),
    );
  }
  return told;
}

const telling = (told: Map<string, boolean>) => [...told].filter(([, tells]) => tells).map(([title]) => title);

it("SE-8: no route tells one environment's key anything of another, whatever it is asked", {
  timeout: 120_000,
}, async () => {
  const own = telling(await walk(["GET"], other.signingKey, undefined, ENDLESS));
  expect(own.length, "the search finds it where it is to be").toBeGreaterThan(10);
  expect(telling(await walk(["GET"], stranger.signingKey))).toEqual([]);
  expect(telling(await walk(["GET"], tool, other.id)), "naming the other is no way in").toEqual([]);
});

it("SE-8: and none changes anything of it", { timeout: 120_000 }, async () => {
  const key = other.signingKey;
  const paths = [
    "/v1/runs",
    "/v1/events",
    "/v1/apps",
    "/v1/functions",
    "/v1/keys/events",
    "/v1/keys/signing",
    "/v1/keys/api",
  ];
  const seen = async () => {
    const bodies = await Promise.all(paths.map(async (path) => (await ask("GET", path, undefined, { key })).body.data));
    // Using a key is noted.
    return JSON.parse(JSON.stringify(bodies).replace(/"used_at":(?:null|"[^"]*")/g, '"used_at":null'));
  };
  const before = await seen();
  expect(telling(await walk(["POST", "PATCH", "PUT", "DELETE"], stranger.signingKey))).toEqual([]);
  expect(await seen()).toEqual(before);
  const account = await accountKey();
  const found = await ask("GET", `/v1/environments/${other.id}`, undefined, { key: account });
  expect(found.body.data).toMatchObject({ name: CANARY, archived_at: null });
});
