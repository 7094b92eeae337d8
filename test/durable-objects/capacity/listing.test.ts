/**
 * What is known of a line outside of it: its function's directory, REST v1, and a limit that changes while runs wait.
 */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { restV1 } from "../../../src/api/rest-v1.ts";
import { currentCatalog } from "../../../src/apps/catalog.ts";
import type { FunctionConfiguration } from "../../../src/apps/function.ts";
import { LOCAL } from "../../../src/environments/environment.ts";
import { CAPACITY } from "../../../src/limits.ts";
import { directoryStub } from "../../../src/objects.ts";
import { relimitLines } from "../../../src/runs/listed-lines.ts";
import { apiOf, getFrom } from "../api.ts";
import { bindings } from "../records.ts";
import { registerFunctions } from "../registered.ts";
import { crash, hears, jump, leaves, line, on, PATIENCE, says, setStage, told } from "./lines.ts";

setStage(LOCAL.id);

const app = apiOf([restV1]);
const get = (path: string) => getFrom(app, path);

let functions = 0;
let slug = "";
let functionId = "";
const perCustomer = { limit: 1, key: "event.data.customerId", scope: "fn" } as const;

/** Makes the function under test one with these options. */
async function register(options: Partial<FunctionConfiguration>): Promise<void> {
  await registerFunctions(bindings.DB, LOCAL.id, { [slug]: ["app/go"] }, options);
}

beforeEach(async () => {
  slug = `limited-${functions++}`;
  functionId = `id-of-${slug}`;
  on({ functionId, expression: perCustomer.key, key: "c1" });
  await register({ concurrency: [perCustomer] });
});

const stands = (runId: string, score: number, limit: Parameters<typeof says>[1] = {}) =>
  says(runId, { functionId, score, ...limit });
const entries = async () => (await directoryStub(bindings, LOCAL.id, functionId).list(["line"])).entries;
const listed = (count: number) => vi.waitFor(async () => expect(await entries()).toHaveLength(count), PATIENCE);

describe("a directory", () => {
  it("lists a line in which somebody waits, until nobody has for a while", async () => {
    await stands("a", 1);
    await stands("b", 2);
    await listed(1);
    expect(await entries()).toMatchObject([{ kind: "line", key: "c1" }]);
    await leaves("b", { functionId });
    expect((await get(`/v1/functions/${slug}/lines`)).body.data).toEqual({ lines: [], more: false });
    await jump(CAPACITY.lease);
    expect(await entries()).toHaveLength(1);
    await jump(CAPACITY.linger);
    expect(await entries()).toHaveLength(0);
  });

  it("never hears of a line that was contended only for a moment", async () => {
    await stands("a", 1);
    await stands("b", 2);
    await leaves("b", { functionId });
    await scheduler.wait(CAPACITY.listing + 200);
    expect(await entries()).toEqual([]);
  });

  it("an entry that a crash left behind is removed by its reader, and one that is missing is made again", async () => {
    await stands("a", 1);
    await stands("b", 2);
    await crash();
    await stands("c", 3);
    await listed(1);
    const name = (await entries())[0]?.name ?? "";
    const directory = directoryStub(bindings, LOCAL.id, functionId);
    await directory.enter({ kind: "line", key: "gone", name: name.replace("=c1", "=gone") });
    const { body } = await get(`/v1/functions/${slug}/lines`);
    expect(body.data.lines.map(({ key }: { key: string }) => key)).toEqual(["c1"]);
    expect(await entries()).toMatchObject([{ key: "c1" }]);
  });
});

describe("FC-11: a limit that changes while runs wait", () => {
  const relimit = async () => {
    const registered = (await currentCatalog(bindings, LOCAL.id, Date.now())).functionById(functionId);
    if (registered === null) throw new Error("the function is registered");
    await relimitLines(bindings, LOCAL.id, registered);
  };

  it("reaches them without any of them asking", async () => {
    for (let i = 0; i < 4; i++) await stands(`r${i}`, i);
    await listed(1);
    await register({ concurrency: [{ ...perCustomer, limit: 3 }] });
    await relimit();
    await hears("r1 1", "r2 1");
  });

  it("lets everybody go when the limit is gone", async () => {
    for (let i = 0; i < 3; i++) await stands(`r${i}`, i);
    await listed(1);
    await register({});
    await relimit();
    await hears("r1 1", "r2 1");
  });

  it("of an older version than the line knows changes nothing", async () => {
    await stands("a", 1, { limit: { version: 9, limit: 1, period: 0, burst: 0 } });
    await stands("b", 2, { limit: { version: 9, limit: 1, period: 0, burst: 0 } });
    await listed(1);
    await register({});
    await relimit();
    expect(told).toEqual([]);
    expect(await (await line()).view(LOCAL.id)).toMatchObject({ inUse: 1, waiting: 1 });
  });
});

describe("BY-11: lines over REST", () => {
  it("limit 1 by customer and three runs: the key shows one holder and two waiters in order", async () => {
    await stands("b", 2);
    await stands("c", 3);
    await stands("a", 1);
    const { status, body } = await get(`/v1/functions/${slug}/lines/one?key=c1`);
    expect(status).toBe(200);
    expect(body.data).toMatchObject({
      counts: "steps",
      scope: "fn",
      expression: "event.data.customerId",
      key: "c1",
      limit: 1,
      in_use: 1,
      holding: 1,
      waiting: 2,
      next_start_at: null,
      holders: [{ run_id: "b", function_id: functionId, units: 1 }],
      waiters: [{ run_id: "a" }, { run_id: "c" }],
    });
    const decisions = body.data.decisions.map((one: { is: string; run_id: string }) => `${one.is} ${one.run_id}`);
    expect(decisions).toEqual(["waits a", "waits c", "granted b", "waits b"]);
    await listed(1);
    const list = await get(`/v1/functions/${functionId}/lines`);
    expect(list.body.data).toMatchObject({ lines: [{ key: "c1", limit: 1, in_use: 1, waiting: 2 }], more: false });
  });

  it("a throttle shows when the next run starts", async () => {
    await register({ throttle: { limit: 1, period: 10_000, burst: 1, key: null } });
    on({ functionId, counts: "starts", expression: null, key: "" });
    const limit = { version: 2, limit: 1, period: 10_000, burst: 1 };
    const before = Date.now();
    await stands("a", 1, { limit });
    await stands("b", 2, { limit });
    const { body } = await get(`/v1/functions/${slug}/lines/one?counts=starts`);
    expect(body.data).toMatchObject({ limit: 1, period: 10, burst: 1, available_starts: 0, waiting: 1, holders: [] });
    const next = Date.parse(body.data.next_start_at);
    expect(next).toBeGreaterThanOrEqual(before + 10_000);
    expect(next).toBeLessThanOrEqual(Date.now() + 10_000);
  });

  it("a key that nobody uses is empty, and a limit that does not exist has no number", async () => {
    const { body } = await get(`/v1/functions/${slug}/lines/one?key=nobody`);
    expect(body.data).toMatchObject({ limit: 1, in_use: 0, holders: [], waiters: [] });
    expect((await get(`/v1/functions/${slug}/lines/one?counts=runs`)).body.data).toMatchObject({ limit: null });
  });

  it.each([
    ["an unknown function", "/v1/functions/nobody/lines", 404, "function_not_found"],
    ["an unknown function's line", "/v1/functions/nobody/lines/one", 404, "function_not_found"],
  ])("%s", async (_, path, status, code) => {
    const { status: got, body } = await get(path);
    expect([got, body.code]).toEqual([status, code]);
  });

  it("a query that names no kind of line, or leaves open which of several limits it means, is refused", async () => {
    expect((await get(`/v1/functions/${slug}/lines/one?counts=hours`)).body.error).toContain("counts must be");
    await register({ concurrency: [perCustomer, { ...perCustomer, key: "event.data.shop" }] });
    const { status, body } = await get(`/v1/functions/${slug}/lines/one?key=c1`);
    expect(status).toBe(400);
    expect(body.error).toContain("expression must be one of event.data.customerId, event.data.shop");
    const query = "key=c1&expression=event.data.shop";
    expect((await get(`/v1/functions/${slug}/lines/one?${query}`)).body.data).toMatchObject({ limit: 1 });
  });
});
