import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { currentCatalog } from "../../src/apps/catalog.ts";
import { BRANCHES, LOCAL, PRODUCTION } from "../../src/environments/environment.ts";
import { allEnvironments, forgetEnvironments, knownBranch } from "../../src/environments/known.ts";
import { ENVIRONMENT } from "../../src/limits.ts";
import { scheduleStub } from "../../src/objects.ts";
import { settingsOf } from "../../src/settings.ts";
import { sweepEnvironments } from "../../src/sweep/environments.ts";
import { accountKey, ask, branchKeys, cloud, customEnvironment, registration } from "./cloud.ts";
import { playApp } from "./isolation/app.ts";
import { bindings } from "./records.ts";

/** ms; a busy machine may take its time. */
const PATIENCE = 20_000;

let account = "";
let branches = { signingKey: "", eventKey: "" };
/** Until then the function "slow" does not end. */
let released = false;

beforeAll(async () => {
  playApp({
    "shop-pay": ({ event }) => ({ output: event.data }),
    "shop-slow": ({ steps }) => {
      if (released) return { output: "done" };
      return { ops: [{ id: `nap-${Object.keys(steps).length}`, op: "Sleep", name: "1s", opts: {} }] };
    },
  });
  account = await accountKey();
  branches = await branchKeys(account);
});

const sync = (
  key: string,
  of?: string,
  functions: Parameters<typeof registration>[0] = { pay: [{ event: "shop/x" }] },
) => ask("POST", "/fn/register", registration(functions), { key, ...(of === undefined ? {} : { of }) });

/** Sends an event; gives the answer. */
const send = (key: string, of?: string, name = "shop/x") =>
  ask("POST", `/e/${key}`, { name, data: { of: of ?? "" } }, { key: null, ...(of === undefined ? {} : { of }) });

/** The runs of an event, once there are so many of them that have ended. */
async function runsOf(eventId: string, asking: { key: string; of?: string }, n = 1) {
  return await vi.waitFor(async () => {
    const { body } = await ask("GET", `/v1/events/${eventId}/runs`, undefined, asking);
    const ended = (body.data ?? []).filter(({ ended_at }: { ended_at: string | null }) => ended_at !== null);
    expect(ended).toHaveLength(n);
    return ended;
  }, PATIENCE);
}

const appsOf = async (key: string, of?: string): Promise<string[]> =>
  (await ask("GET", "/v1/apps", undefined, { key, ...(of === undefined ? {} : { of }) })).body.data.map(
    ({ name }: { name: string }) => name,
  );

describe("API-20: environments over REST", () => {
  it("lists those that always exist first, then the others", async () => {
    const { id } = await customEnvironment("listed");
    const { body } = await ask("GET", "/v1/environments");
    expect(body.data.slice(0, 2)).toMatchObject([
      { id: PRODUCTION.id, kind: "production", name: "production", created_at: null, synced_at: null },
      { id: BRANCHES.id, kind: "branches", name: "branches", archived_at: null },
    ]);
    expect(body.data).toContainEqual({
      id,
      kind: "custom",
      name: "listed",
      slug: "listed",
      created_at: expect.stringMatching(/Z$/),
      synced_at: null,
      auto_archive: false,
      archived_at: null,
    });
    for (const name of [id, "listed"]) {
      expect((await ask("GET", `/v1/environments/${name}`)).body.data).toMatchObject({ id, name: "listed" });
    }
  });

  it("EV-26: given a new environment by POST, its keys work at once, there and nowhere else", async () => {
    const { id, signingKey, eventKey } = await customEnvironment("staging");
    expect((await sync(signingKey)).body).toMatchObject({ ok: true });
    expect(await appsOf(signingKey)).toEqual(["shop"]);
    expect(await appsOf((await customEnvironment("other")).signingKey)).toEqual([]);
    expect((await ask("GET", "/v1/apps")).body.data, "production has none").toEqual([]);
    const sent = await send(eventKey, "pr-ignored");
    expect(sent).toMatchObject({ status: 200, body: { ids: [expect.any(String)] } });
    expect(await runsOf(sent.body.ids[0], { key: signingKey })).toMatchObject([{ status: "Completed" }]);
    expect((await ask("GET", `/v1/events/${sent.body.ids[0]}`)).status, "production does not know it").toBe(404);
    const known = await allEnvironments(cloud, settingsOf(cloud));
    expect(known.filter(({ name }) => name === "staging")).toMatchObject([{ id, kind: "custom" }]);
    expect(await knownBranch(cloud, "pr-ignored", Date.now()), "EV-22: the header is ignored").toBeNull();
  });

  it.each([["taken"], ["production"], ["branches"]])(
    "a name that is taken (%s) is refused with 409, over v2 with its code, and stores nothing",
    async (name) => {
      await ask("POST", "/v1/environments", { name: "taken" });
      const before = (await ask("GET", "/v1/environments")).body.data.length;
      expect(await ask("POST", "/v1/environments", { name })).toMatchObject({
        status: 409,
        body: { code: "conflict" },
      });
      const v2 = await ask("POST", "/v2/envs", { name });
      expect(v2).toMatchObject({ status: 409, body: { errors: [{ code: "resource_already_exists" }] } });
      expect((await ask("GET", "/v1/environments")).body.data).toHaveLength(before);
    },
  );

  it.each([[{ name: "" }], [{ name: "x".repeat(256) }], [{ name: 7 }], [{}]])(
    "%j is no new environment",
    async (body) => {
      expect(await ask("POST", "/v1/environments", body)).toMatchObject({
        status: 400,
        body: { code: "invalid_request" },
      });
    },
  );

  it("without MILLRACE_SECRET nothing is stored", async () => {
    const { MILLRACE_SECRET: _, ...deployment } = cloud;
    const refused = await ask("POST", "/v1/environments", { name: "unsealed" }, { deployment });
    expect(refused).toMatchObject({ status: 503, body: { code: "not_configured" } });
    expect((await ask("GET", "/v1/environments/unsealed")).status).toBe(404);
  });

  it("custom ones are renamed, and keep their id, keys and contents", async () => {
    const { id, eventKey, signingKey } = await customEnvironment("before");
    const changed = await ask("PATCH", `/v1/environments/${id}`, { name: "after" });
    expect(changed).toMatchObject({ status: 200, body: { data: { id, name: "after" } } });
    expect((await ask("GET", "/v1/environments/before")).status).toBe(404);
    expect((await send(eventKey)).status).toBe(200);
    const { body } = await ask("GET", "/v1/events", undefined, { key: signingKey });
    expect(body.data).toHaveLength(1);
    await customEnvironment("before");
    const back = await ask("PATCH", `/v1/environments/${id}`, { name: "before" });
    expect(back).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect((await ask("GET", `/v1/environments/${id}`)).body.data.name).toBe("after");
  });

  it("what always exists can neither be renamed nor archived, and only branches are archived by themselves", async () => {
    const { id } = await customEnvironment("stays");
    for (const [method, path, body] of [
      ["PATCH", "production", { name: "x" }],
      ["PATCH", "branches", { auto_archive: true }],
      ["PATCH", id, { auto_archive: true }],
      ["POST", "production/archive", undefined],
      ["POST", "branches/archive", undefined],
      ["POST", `${id}/unarchive`, undefined],
    ] as const) {
      const refused = await ask(method, `/v1/environments/${path}`, body);
      expect([path, refused.status, refused.body.code]).toEqual([path, 409, "conflict"]);
    }
  });

  it("an environment that nobody knows is 404", async () => {
    for (const [method, path] of [
      ["GET", "nobody"],
      ["PATCH", "nobody"],
      ["POST", "nobody/archive"],
    ] as const) {
      const refused = await ask(method, `/v1/environments/${path}`, method === "GET" ? undefined : {});
      expect(refused).toMatchObject({ status: 404, body: { code: "environment_not_found" } });
    }
    const v2 = await ask("PATCH", "/v2/envs/nobody", { isArchived: true });
    expect(v2).toMatchObject({ status: 404, body: { errors: [{ code: "env_not_found" }] } });
  });

  it("dev mode has one, and makes no others", async () => {
    const deployment = bindings;
    const { body } = await ask("GET", "/v1/environments", undefined, { deployment });
    expect(body.data).toMatchObject([{ id: LOCAL.id, kind: "local" }]);
    const refused = await ask("POST", "/v1/environments", { name: "another" }, { deployment });
    expect(refused).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect((await ask("POST", `/v1/environments/${LOCAL.id}/archive`, {}, { deployment })).status).toBe(409);
  });

  it("API-22: v2 creates, renames, archives and lists them, and shows no key", async () => {
    const made = await ask("POST", "/v2/envs", { name: "made by v2" });
    expect(made).toMatchObject({
      status: 200,
      body: { data: { name: "made by v2", type: "CUSTOM", isArchived: false } },
    });
    expect(made.text).not.toMatch(/signkey|ek_/);
    const { id } = made.body.data;
    const archived = await ask("PATCH", `/v2/envs/${id}`, { isArchived: true, name: "renamed by v2" });
    expect(archived.body.data).toMatchObject({ id, name: "renamed by v2", isArchived: true });
    expect((await ask("PATCH", `/v2/envs/${id}`, { isArchived: true })).status, "again").toBe(200);
    expect((await ask("GET", "/v2/envs")).body.data).toContainEqual(archived.body.data);
  });

  it("SE-8: a key of one environment sees that one only, and changes none", async () => {
    const { id, signingKey } = await customEnvironment("alone");
    const { body } = await ask("GET", "/v2/envs", undefined, { key: signingKey });
    expect(body.data).toMatchObject([{ id, name: "alone" }]);
    for (const [method, path] of [
      ["GET", "/v1/environments"],
      ["POST", "/v1/environments"],
      ["POST", `/v1/environments/${id}/archive`],
      ["POST", "/v2/envs"],
    ] as const) {
      const refused = await ask(method, path, method === "GET" ? undefined : { name: "x" }, { key: signingKey });
      expect([path, refused.status]).toEqual([path, 403]);
    }
    const v2 = await ask("POST", "/v2/envs", { name: "x" }, { key: signingKey });
    expect(v2.body).toMatchObject({ errors: [{ code: "access_denied" }] });
  });
});

describe("EV-22, EV-23: branches", () => {
  it("EV-22: an app that names its branch is there, and what it sends as well", async () => {
    expect((await sync(branches.signingKey, "feature/my-branch")).body).toMatchObject({ ok: true });
    const sent = await send(branches.eventKey, "feature/my-branch");
    const asking = { key: branches.signingKey, of: "feature/my-branch" };
    expect(await runsOf(sent.body.ids[0], asking)).toMatchObject([{ status: "Completed" }]);
    expect(await appsOf(branches.signingKey, "feature/my-branch")).toEqual(["shop"]);
    await send(branches.eventKey, "feature/another");
    expect(await appsOf(branches.signingKey, "feature/another")).toEqual([]);
    expect((await ask("GET", `/v1/events/${sent.body.ids[0]}`)).status).toBe(404);
  });

  it("EV-23: a send creates the branch it names, and only the first", async () => {
    const before = Date.now();
    for (let n = 0; n < 2; n++) expect((await send(branches.eventKey, "pr-7")).status).toBe(200);
    const { body } = await ask("GET", "/v1/environments");
    const made = body.data.filter(({ name }: { name: string }) => name === "pr-7");
    expect(made).toMatchObject([{ kind: "branch", slug: "pr-7", auto_archive: true, archived_at: null }]);
    expect(Date.parse(made[0].synced_at)).toBeGreaterThanOrEqual(before);
    const { body: events } = await ask("GET", "/v1/events", undefined, { key: branches.signingKey, of: "pr-7" });
    expect(events.data).toHaveLength(2);
  });

  it("EV-23: many that name a new branch at the same time make one", async () => {
    const sent = await Promise.all(Array.from({ length: 8 }, () => send(branches.eventKey, "crowded")));
    expect(sent.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    const { body } = await ask("GET", "/v1/environments");
    expect(body.data.filter(({ name }: { name: string }) => name === "crowded")).toHaveLength(1);
    const { body: events } = await ask("GET", "/v1/events", undefined, { key: branches.signingKey, of: "crowded" });
    expect(events.data).toHaveLength(8);
  });

  it("EV-25: an event with a key of branches that names none is kept where they meet, and starts nothing", async () => {
    await sync(branches.signingKey, "pr-8");
    const sent = await send(branches.eventKey);
    expect(sent.status).toBe(200);
    const asking = { key: account, of: "branches" };
    const { body } = await ask("GET", `/v1/events/${sent.body.ids[0]}`, undefined, asking);
    expect(body.data).toMatchObject({ name: "shop/x" });
    expect((await ask("GET", `/v1/events/${sent.body.ids[0]}/runs`, undefined, asking)).body.data).toEqual([]);
    expect((await ask("GET", `/v1/events/${sent.body.ids[0]}`, undefined, { ...asking, of: "pr-8" })).status).toBe(404);
  });

  it("the signing key of all branches needs the name of one, and reading creates none", async () => {
    const unknown = await ask("GET", "/v1/apps", undefined, { key: branches.signingKey, of: "never-named" });
    expect(unknown).toMatchObject({ status: 404, body: { code: "environment_not_found" } });
    const refused = await ask("GET", "/v1/apps", undefined, { key: branches.signingKey });
    expect(refused).toMatchObject({ status: 400, body: { code: "environment_mismatch" } });
    expect(refused.body.error).toContain("INNGEST_ENV");
  });

  it("a name of two environments is refused, and an id names either", async () => {
    const { id } = await customEnvironment("twice");
    await send(branches.eventKey, "twice");
    const refused = await ask("GET", "/v1/apps", undefined, { key: account, of: "twice" });
    expect(refused).toMatchObject({ status: 409, body: { code: "environment_ambiguous" } });
    const v2 = await ask("GET", "/v2/apps", undefined, { key: account, of: "twice" });
    expect(v2).toMatchObject({ status: 409, body: { errors: [{ code: "env_name_ambiguous" }] } });
    expect((await ask("GET", "/v1/apps", undefined, { key: account, of: id })).status).toBe(200);
  });
});

describe("EV-24: archiving", () => {
  const DAY = 24 * 60 * 60 * 1000;
  const named = async (name: string) => (await ask("GET", `/v1/environments/${encodeURIComponent(name)}`)).body.data;
  const alarmOf = (id: string, functionId: string) =>
    runInDurableObject(scheduleStub(bindings, id, functionId), (_, { storage }) => storage.getAlarm());

  it("three days after its latest sync a branch is archived: sends are 401, and unarchived it works again", async () => {
    const name = "old";
    const of = { key: branches.signingKey, of: name };
    await sync(branches.signingKey, name, { pay: [{ event: "shop/x" }], ticks: [{ cron: "0 3 1 1 *" }] });
    const first = await send(branches.eventKey, name);
    await runsOf(first.body.ids[0], of);
    const { id } = await named(name);
    const { functions } = await currentCatalog(cloud, id, Date.now());
    const ticks = functions.find(({ slug }) => slug === "shop-ticks")?.id ?? "";
    expect(await alarmOf(id, ticks)).not.toBeNull();
    const synced = Date.parse((await named(name)).synced_at);

    await sweepEnvironments(cloud, synced + ENVIRONMENT.idle);
    expect((await named(name)).archived_at, "not a moment too early").toBeNull();
    await sweepEnvironments(cloud, synced + ENVIRONMENT.idle + 1);
    expect(ENVIRONMENT.idle).toBe(3 * DAY);
    expect((await named(name)).archived_at).not.toBeNull();
    expect(await send(branches.eventKey, name)).toMatchObject({
      status: 401,
      body: { error: "Event key not found", code: "event_key_not_found", ids: [] },
    });
    await vi.waitFor(async () => expect(await alarmOf(id, ticks), "its crons rest").toBeNull(), PATIENCE);
    expect((await ask("GET", `/v1/events/${first.body.ids[0]}`, undefined, of)).status, "nothing is deleted").toBe(200);

    const back = await ask("POST", `/v1/environments/${id}/unarchive`);
    expect(back.body.data).toMatchObject({ archived_at: null });
    expect(await alarmOf(id, ticks)).not.toBeNull();
    const again = await send(branches.eventKey, name);
    await runsOf(again.body.ids[0], of);
    await runsOf(first.body.ids[0], of);
    expect((await ask("POST", `/v1/environments/${id}/unarchive`)).status).toBe(409);
  });

  it("a sync moves the date, and brings an archived branch back", async () => {
    await sync(branches.signingKey, "revived");
    const { id } = await named("revived");
    expect((await ask("POST", `/v1/environments/${id}/archive`)).status).toBe(200);
    expect((await send(branches.eventKey, "revived")).status).toBe(401);
    expect((await ask("POST", `/v1/environments/${id}/archive`)).status, "again").toBe(409);
    expect((await sync(branches.signingKey, "revived")).body).toMatchObject({ ok: true });
    const sent = await send(branches.eventKey, "revived");
    expect(sent.status).toBe(200);
    await runsOf(sent.body.ids[0], { key: branches.signingKey, of: "revived" });
    expect((await named("revived")).archived_at).toBeNull();
  });

  it("a branch that is to stay, and a custom environment, are not archived by themselves", async () => {
    await send(branches.eventKey, "kept");
    const { id } = await customEnvironment("custom stays");
    const kept = await ask("PATCH", "/v1/environments/kept", { auto_archive: false });
    expect(kept.body.data).toMatchObject({ auto_archive: false });
    await sweepEnvironments(cloud, Date.now() + 30 * DAY);
    expect((await named("kept")).archived_at).toBeNull();
    expect((await named(id)).archived_at).toBeNull();
  });

  it("runs in progress finish, and nothing new starts", async () => {
    const { id, signingKey, eventKey } = await customEnvironment("closing");
    await sync(signingKey, undefined, { slow: [{ event: "shop/slow" }], pay: [{ event: "shop/x" }] });
    const sent = await send(eventKey, undefined, "shop/slow");
    const asking = { key: signingKey };
    await vi.waitFor(async () => {
      const { body } = await ask("GET", `/v1/events/${sent.body.ids[0]}/runs`, undefined, asking);
      expect(body.data).toMatchObject([{ status: "Running" }]);
    }, PATIENCE);
    expect((await ask("POST", `/v1/environments/${id}/archive`)).status).toBe(200);
    released = true;
    expect(await runsOf(sent.body.ids[0], asking)).toMatchObject([{ status: "Completed", output: "done" }]);
    expect((await send(eventKey, undefined, "shop/x")).status).toBe(401);
    const refused = await ask("POST", "/v1/functions/shop-pay/invoke", { data: {} }, asking);
    expect(refused.status, refused.text).toBeGreaterThanOrEqual(400);
    expect((await ask("POST", `/v1/environments/${id}/unarchive`)).status).toBe(200);
    expect((await send(eventKey, undefined, "shop/x")).status).toBe(200);
    forgetEnvironments(cloud.DB);
  });
});
