/**
 * Requests with one enormous part, still within the size of a body (SE-15): taken, or refused with a reason, but never a failure of the engine
 * because a row, an object's name or a header has limits of its own.
 */
import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { ensureSchema } from "../../../src/history/schema.ts";
import { CHECKPOINT, KNOWN_RUN, NEW_RUN, REGISTRATION } from "../../fuzz/surfaces.ts";
import { inDatabase, inObjects } from "../isolation/contents.ts";
import { bindings } from "../records.ts";
import { muteApps } from "../registered.ts";
import { inDevMode } from "./attack.ts";

/** What a row may have, by the platform's documentation. */
const ROW_BYTES = 2_000_000;
const LARGE = "x".repeat(2_500_000);

beforeAll(async () => {
  muteApps();
  await ensureSchema(bindings.DB);
});

const [first] = REGISTRATION.functions;
const manyFunctions = Array.from({ length: 20_000 }, (_, n) => ({
  ...first,
  id: `bad-${n}`,
  retries: "many",
  cancel: 7,
}));

describe("SE-15: requests with one enormous part", () => {
  it.each<[string, string, string, unknown]>([
    ["an app's name", "POST", "/fn/register", { ...REGISTRATION, appName: LARGE }],
    ["an app's framework", "POST", "/fn/register", { ...REGISTRATION, framework: LARGE }],
    ["an app's version", "POST", "/fn/register", { ...REGISTRATION, appVersion: LARGE }],
    ["an SDK's name", "POST", "/fn/register", { ...REGISTRATION, sdk: LARGE }],
    ["an app's URL", "POST", "/fn/register", { ...REGISTRATION, url: `http://app.test/${LARGE}` }],
    ["capabilities", "POST", "/fn/register", { ...REGISTRATION, capabilities: { a: LARGE } }],
    ["a function's name", "POST", "/fn/register", { ...REGISTRATION, functions: [{ ...first, name: LARGE }] }],
    ["a function's id", "POST", "/fn/register", { ...REGISTRATION, functions: [{ ...first, id: LARGE }] }],
    ["an unknown option", "POST", "/fn/register", { ...REGISTRATION, functions: [{ ...first, [LARGE]: 1 }] }],
    ["a function's key", "POST", "/fn/register", { ...REGISTRATION, functions: [{ ...first, idempotency: LARGE }] }],
    ["a list of bad functions", "POST", "/fn/register", { ...REGISTRATION, functions: manyFunctions.slice(0, 5000) }],
    ["an event's name", "POST", "/e/x", { name: LARGE }],
    ["an event's version", "POST", "/e/x", { name: "a", v: LARGE.slice(0, 1_000_000) }],
    ["an event's user", "POST", "/e/x", { name: "a", user: { [LARGE.slice(0, 1_000_000)]: 1 } }],
    ["an endpoint's path", "POST", "/v1/checkpoint", endpoint({ path: `/${LARGE}` })],
    ["an endpoint's type", "POST", "/v1/checkpoint", endpoint({ content_type: LARGE })],
    ["an endpoint's own id", "POST", "/v1/checkpoint", endpoint({ fn: LARGE })],
    ["an endpoint's body", "POST", "/v1/checkpoint", endpoint({ body: LARGE })],
    ["a checkpoint's queue item", "POST", `/v1/checkpoint/${KNOWN_RUN}/async`, { ...CHECKPOINT, qi_id: LARGE }],
    ["a signal", "POST", "/v1/signals", { signal: "s", data: LARGE.slice(0, 1_000_000) }],
    [
      "a condition",
      "POST",
      "/v1/replays",
      { function_id: "f", name: "n", statuses: ["Failed"], if: LARGE.slice(0, 9000) },
    ],
  ])("%s", async (_, method, path, body) => {
    const request = new Request(`http://engine${path}`, { method, body: JSON.stringify(body) });
    const reply = await inDevMode(request);
    const text = await reply.text();
    expect(reply.status, text.slice(0, 500)).toBeLessThan(500);
    // What is refused is not told in full: the answer would be as large.
    expect(text.length).toBeLessThan(100_000);
    if (reply.status >= 400) expect(z.object({ code: z.string() }).safeParse(JSON.parse(text)).error).toBeUndefined();
  });
});

// Here the database takes what the platform's own does not.
it("SE-15: leave no row that is larger than a database takes", async () => {
  const rows = [...(await inDatabase()), ...(await inObjects())];
  expect(rows.length).toBeGreaterThan(0);
  const large = rows
    .filter(({ row }) => row.length > ROW_BYTES)
    .map(({ where, table, row }) => [where, table, row.length]);
  expect(large).toEqual([]);
});

let runs = 0;

/** The first report of an endpoint's run. */
function endpoint(data: object) {
  const run_id = KNOWN_RUN.slice(0, -2) + String(10 + runs++);
  return { ...NEW_RUN, run_id, event: { ...NEW_RUN.event, data: { ...NEW_RUN.event.data, ...data } } };
}
