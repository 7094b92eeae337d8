/**
 * What a registration changes (AP-1 … AP-7, AP-12, AP-19 … AP-21, AP-28), also as captured from the SDKs, and what `GET /dev` shows of it.
 */
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { type Script, startScriptedApp } from "../../harness/scripted-app.ts";
import { done, nap, progress } from "../ops.ts";
import { app, captured, engine, functionsOf, plain, runsFor } from "./world.ts";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe.concurrent("what a registration changes", () => {
  it("AP-4, AP-28, protocol/02: it is accepted without calling the app back", async () => {
    const { status, json } = await app.register(engine, "fresh", [plain("fresh")]);
    expect([status, json]).toEqual([
      200,
      { ok: true, modified: true, sync_id: expect.any(String), app_id: expect.stringMatching(UUID) },
    ]);
    expect(app.others).toEqual([]);
    expect(await runsFor("reg/fresh")).toHaveLength(1);
  });

  it("AP-1: an app without functions is an app", async () => {
    expect((await app.register(engine, "empty", [])).json).toMatchObject({ ok: true, modified: true });
    const { text } = await engine.api("GET", "/v1/apps");
    expect(text).toContain(`"name":"empty"`);
  });

  it("AP-6: the same configuration again answers modified: false and keeps every version", async () => {
    const functions = [plain("same-a", { options: { concurrency: 2 } }), plain("same-b")];
    expect((await app.register(engine, "same", functions)).json).toMatchObject({ modified: true });
    expect((await app.register(engine, "same", functions)).json).toMatchObject({ modified: false });
    const again = app.registration("same", functions.toReversed());
    const url = `${app.url}/api/inngest?deployId=dep-7`;
    const variant = { ...again, url, deployId: "dep-7", featureObservations: { anything: Date.now() } };
    expect((await engine.api("POST", "/fn/register?deployId=dep-7", variant)).json).toMatchObject({ modified: false });
    expect((await functionsOf("same")).map(({ version }) => version)).toEqual([1, 1]);
  });

  it("AP-6: a changed function gets the next version, others keep theirs, and runs name it", async () => {
    await app.register(engine, "changes", [plain("ch-a"), plain("ch-b")]);
    const second = await app.register(engine, "changes", [plain("ch-a", { retries: 1 }), plain("ch-b")]);
    expect(second.json).toMatchObject({ modified: true });
    expect(await functionsOf("changes")).toMatchObject([
      { slug: "changes-ch-a", version: 2 },
      { slug: "changes-ch-b", version: 1 },
    ]);
    expect(await runsFor("reg/ch-a")).toMatchObject([{ function_version: 2 }]);
  });

  it("AP-7, AP-25: a function that disappears starts nothing more, and comes back with the next sync", async () => {
    const both = [plain("stays"), plain("goes")];
    await app.register(engine, "archive", both);
    expect(await runsFor("reg/goes")).toHaveLength(1);
    expect((await app.register(engine, "archive", both.slice(0, 1))).json).toMatchObject({ modified: true });
    expect(await runsFor("reg/goes")).toEqual([]);
    expect(await runsFor("reg/stays")).toHaveLength(1);
    expect(await functionsOf("archive")).toMatchObject([
      { slug: "archive-goes", archived: true },
      { slug: "archive-stays", archived: false },
    ]);
    expect((await app.register(engine, "archive", both)).json).toMatchObject({ modified: true });
    expect(await runsFor("reg/goes")).toHaveLength(1);
  });

  it("AP-7, AP-12, EX-40: a run of a function that moved, and then disappeared, continues at the new URL", async () => {
    const elsewhere = await startScriptedApp();
    try {
      const script: Script = ({ body }) =>
        body.ctx.stack.current === 0 ? progress(nap("nap", "2s")) : done("continued");
      await app.register(engine, "moving", [plain("m", { script })]);
      const [id = ""] = await engine.send({ name: "reg/m" });
      await engine.until(() => app.callsOf("moving-m").length === 1);
      await elsewhere.register(engine, "moving", [plain("m", { script })]);
      await elsewhere.register(engine, "moving", []);
      expect(await engine.ended(id)).toMatchObject([{ status: "Completed", output: "continued" }]);
      expect(app.callsOf("moving-m")).toHaveLength(1);
      expect(elsewhere.callsOf("moving-m")).toHaveLength(1);
    } finally {
      await elsewhere.stop();
    }
  });

  it("AP-2: another app id is another app, and both answer", async () => {
    await app.register(engine, "twin-1", [plain("t", { event: "reg/twin" })]);
    await app.register(engine, "twin-2", [plain("t", { event: "reg/twin" })]);
    expect((await runsFor("reg/twin")).map((run) => run.function_slug).sort()).toEqual(["twin-1-t", "twin-2-t"]);
  });

  it("AP-20, AP-21: other query parameters of the URL come with every call; fnId, stepId and deployId are set anew", async () => {
    const item = plain("q");
    await app.register(engine, "query", [item]);
    const registration = app.registration("query", [item]);
    const url = `${app.url}/jobs?tenant=2&deployId=7&fnId=x&stepId=y`;
    const step = { id: "step", name: "step", runtime: { type: "http", url } };
    const functions = [{ id: "query-q", name: "q", triggers: [{ event: "reg/q" }], steps: { step } }];
    expect((await engine.api("POST", "/fn/register", { ...registration, url, functions })).json).toMatchObject({
      ok: true,
    });
    await engine.ended((await engine.send({ name: "reg/q" }))[0] ?? "");
    const [call] = app.callsOf("query-q");
    expect(call?.url.pathname).toBe("/jobs");
    expect([...(call?.url.searchParams ?? [])].sort()).toEqual([
      ["fnId", "query-q"],
      ["stepId", "step"],
      ["tenant", "2"],
    ]);
  });

  it("protocol/02: DELETE /fn/remove archives an app; twice is 404, and a sync brings it back", async () => {
    const own = await startScriptedApp();
    try {
      await own.register(engine, "removed", [plain("r")]);
      const path = `/fn/remove?url=${encodeURIComponent(`${own.url}/api/inngest`)}`;
      expect((await engine.api("DELETE", path)).status).toBe(200);
      expect(await runsFor("reg/r")).toEqual([]);
      expect(await engine.api("DELETE", path)).toMatchObject({ status: 404, json: { code: "app_not_found" } });
      expect((await own.register(engine, "removed", [plain("r")])).json).toMatchObject({ modified: true });
      expect(await runsFor("reg/r")).toHaveLength(1);
    } finally {
      await own.stop();
    }
  });

  it.each([
    ["a number", { concurrency: 3 }],
    ["an object", { concurrency: { limit: 1, key: `"ai"`, scope: "account" } }],
    ["two limits", { concurrency: [{ limit: 5 }, { limit: 2, key: "event.data.user", scope: "env" }] }],
    ["fn and step of Go", { concurrency: { fn: [{ limit: 1, key: "event.data.k" }], step: [{ limit: 2 }] } }],
    [
      "null for everything absent",
      nulls([
        "concurrency",
        "throttle",
        "rateLimit",
        "debounce",
        "batchEvents",
        "singleton",
        "priority",
        "timeouts",
        "cancel",
        "idempotency",
      ]),
    ],
    ["unknown fields", { surprise: { deep: true }, checkpoint: { batch_steps: 3, max_runtime: 5_000_000_000 } }],
    ["odd characters in its id", { id: "shapes-übung 1/2" }],
    ["no triggers", { triggers: [] }],
  ])("AP-19: a function with %s is accepted", async (_, options) => {
    const answer = await app.register(engine, "shapes", [plain("s", { event: "reg/shapes", options })]);
    expect(answer, answer.text).toMatchObject({ status: 200, json: { ok: true } });
  });
});

describe("what SDKs register", () => {
  it.each(["js-v3.54.2", "js-v4.24.0"])("protocol/02: the registration captured from %s is accepted", async (sdk) => {
    const body = captured(`${sdk}-fn-register-body`).replaceAll("127.0.0.1:PORT", new URL(app.url).host);
    const answer = await engine.api("POST", "/fn/register?deployId=dep-1", body, { authorization: "Bearer undefined" });
    expect(answer, answer.text).toMatchObject({ status: 200, json: { ok: true } });
    const slugs = (await functionsOf("cap-app")).filter(({ archived }) => !archived).map(({ slug }) => slug);
    expect(slugs).toEqual(expect.arrayContaining(["cap-app-all", "cap-app-all-failure", "cap-app-batch"]));
    await app.register(engine, "cap-app", []); // its triggers are wide
  });
});

describe("GET /dev", () => {
  it("protocol/12 §12.1: lists active functions with triggers and step URLs", async () => {
    const filter = {
      options: { triggers: [{ event: "reg/listed", expression: "event.data.n > 1" }, { cron: "0 5 * * *" }] },
    };
    await app.register(engine, "listed", [plain("l", filter), plain("gone")]);
    await app.register(engine, "listed", [plain("l", filter)]);
    const { status, json } = await engine.api("GET", "/dev");
    expect(status).toBe(200);
    const listed = z.looseObject({ functions: z.array(z.looseObject({ id: z.string() })) }).parse(json);
    expect(listed).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      authed: false,
      startOpts: expect.anything(),
    });
    expect(listed.functions.filter(({ id }) => id.startsWith("listed-"))).toEqual([
      expect.objectContaining({
        id: "listed-l",
        name: "l",
        triggers: [expect.objectContaining({ event: "reg/listed" }), expect.objectContaining({ cron: "0 5 * * *" })],
        steps: [
          expect.objectContaining({
            id: "step",
            name: "step",
            uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/api\/inngest\?fnId=listed-l&stepId=step$/),
          }),
        ],
      }),
    ]);
  });
});

function nulls(options: readonly string[]): Record<string, null> {
  return Object.fromEntries(options.map((option) => [option, null]));
}
