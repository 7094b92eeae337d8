/**
 * The same apps against cloud mode: keys, signatures in both directions, and what becomes of a wrong or an older key
 * (SE-3 to SE-7, EV-20, AP-13, AP-23).
 */
import { expect } from "vitest";
import { requestSync, SyncRefused } from "../harness/app.ts";
import { type Case, conformance } from "../harness/cases.ts";
import type { Scenario } from "../harness/scenario.ts";
import type { Client } from "../harness/sdk.ts";

const KEY = "signkey-test-00112233445566778899aabbccddeeff";
const OLD_KEY = "signkey-test-ffeeddccbbaa99887766554433221100";
const WRONG_KEY = "signkey-test-0123456789abcdef0123456789abcdef";
const EVENT_KEY = "the-event-key";

/** A function with a step, for a client. */
function stepping({ fn, on }: Scenario, client: Client, retries = 0) {
  return fn({ id: "signed", retries }, on("x"), ({ event, step }) => step.run("a", () => event.data["canary"]), client);
}

const signed: readonly Case[] = [
  {
    id: "SC-1",
    title: "The same app in cloud mode: sync, send, run",
    proves: ["SE-3", "SE-6", "AP-4", "EV-18", "EX-2"],
    async run({ app, fn, on, trigger, ended, runOf, api, engine }) {
      const served = await app([
        fn<{ email: string }>("everything", on("x"), async ({ event, step, attempt }) => {
          await step.sleep("wait-a-moment", "1s");
          const [a, b] = await Promise.all([step.run("a", () => "Hello"), step.run("b", () => event.data.email)]);
          await step.run("flaky", () => {
            if (attempt === 0) throw new Error("once");
          });
          return { message: `${a} ${b}! ünïcode 你好` };
        }),
        fn({ id: "fails", retries: 0 }, on("x"), () => {
          throw new Error("boom");
        }),
      ]);
      expect(served.sync).toMatchObject({ status: 200, modified: true });
      const runs = await ended(await trigger(on("x"), { email: "a@example.com", "10": 1, "9": "\r", é: -0.5e-7 }), 2);
      expect(runOf(runs, "everything")).toMatchObject({
        status: "Completed",
        output: { message: "Hello a@example.com! ünïcode 你好" },
      });
      expect(runOf(runs, "fails")).toMatchObject({ status: "Failed", output: { message: "boom" } });
      const calls = served.received().filter(({ method }) => method === "POST");
      expect(calls.length).toBeGreaterThanOrEqual(7);
      for (const { headers } of calls) expect(headers["x-inngest-signature"]).toMatch(/^t=\d+&s=[0-9a-f]{64}$/);
      // Nobody reads without a key.
      expect((await api("GET", `/v1/runs/${runs[0]?.run_id}`, undefined, { authorization: "" })).status).toBe(401);
      const wrong = { authorization: `Bearer ${WRONG_KEY}` };
      expect((await api("GET", `/v1/runs/${runs[0]?.run_id}`, undefined, wrong)).status).toBe(401);
      expect((await engine.api("GET", "/dev")).status).toBe(404);
    },
  },
  {
    id: "SC-143",
    title: "Unsigned and falsely signed calls are 401",
    proves: ["SE-3", "SE-4"],
    async run(scenario) {
      const { app, client, trigger, finished, on, slug } = scenario;
      const served = await app([stepping(scenario, client)]);
      const target = `${served.url}?fnId=${encodeURIComponent(slug("signed"))}&stepId=step`;
      const post = (headers: Readonly<Record<string, string>>) =>
        fetch(target, { method: "POST", body: "{}", headers });
      const now = Math.floor(Date.now() / 1000);
      expect((await post({})).status).toBe(401);
      expect((await post({ "x-inngest-signature": `t=${now}&s=${"0".repeat(64)}` })).status).toBe(401);
      expect(await finished(await trigger(on("x"), { canary: "a" }))).toMatchObject({
        status: "Completed",
        output: "a",
      });
      const call = served.received().find(({ method, headers }) => method === "POST" && headers["x-inngest-signature"]);
      // The signature of one call is no signature of another.
      expect((await post({ "x-inngest-signature": String(call?.headers["x-inngest-signature"]) })).status).toBe(401);
    },
  },
  {
    id: "SE-3",
    title: "A changed call is refused by the SDK and tried again",
    proves: ["SE-3", "EX-24"],
    async run(scenario) {
      const { app, client, trigger, finished, on } = scenario;
      // Both keys are tried before an attempt counts as failed, so two calls have to be spoilt.
      const faults = [{ kind: "tamper" }, { kind: "tamper" }] as const;
      await app([stepping(scenario, client, 2)], { faults });
      expect(await finished(await trigger(on("x"), { canary: "a" }))).toMatchObject({
        status: "Completed",
        output: "a",
      });
    },
  },
  {
    id: "EX-16",
    title: "State is fetched with the app's key",
    proves: ["EX-16", "SE-6"],
    async run({ app, fn, on, trigger, finished }) {
      const MIB = 1024 * 1024;
      await app([
        fn("large", on("x"), async ({ step }) => {
          const results: string[] = [];
          for (let i = 0; i < 5; i++) results.push(await step.run(`s${i}`, () => `${i}`.padEnd(MIB, "y")));
          return await step.run("all", () => results.map((result) => `${result[0]}:${result.length}`));
        }),
      ]);
      const output = Array.from({ length: 5 }, (_, i) => `${i}:${MIB}`);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output });
    },
  },
  {
    id: "AP-5",
    title: "A sync started at the engine is signed, and so is its answer",
    proves: ["AP-5", "SE-5"],
    async run(scenario) {
      const { app, client, api, trigger, finished, on, appId, newClient } = scenario;
      const served = await app([stepping(scenario, client)], { sync: false });
      const reply = await api("POST", "/v1/apps", { url: served.url });
      expect(reply).toMatchObject({ status: 200, json: { data: { name: appId } } });
      expect(await finished(await trigger(on("x"), { canary: "a" }))).toMatchObject({ output: "a" });
      const stranger = newClient({ id: "stranger", signingKey: WRONG_KEY });
      const other = await app([stepping(scenario, stranger)], { sync: false, client: stranger });
      expect((await api("POST", "/v1/apps", { url: other.url })).json).toMatchObject({
        code: "unauthorized",
        data: null,
      });
    },
  },
];

const keys: readonly Case[] = [
  {
    id: "SC-143b",
    title: "An app with the previous key, and one with the new key and the previous one as fallback",
    proves: ["SE-6", "SE-7", "AP-23"],
    async run(scenario) {
      const { app, trigger, finished, on, newClient } = scenario;
      const old = newClient({ signingKey: OLD_KEY });
      const served = await app([stepping(scenario, old)], { client: old });
      expect(await finished(await trigger(on("x"), { canary: "a" }))).toMatchObject({
        status: "Completed",
        output: "a",
      });
      const both = newClient({ signingKey: KEY, signingKeyFallback: OLD_KEY });
      await served.resync([stepping(scenario, both)], both);
      expect(await finished(await trigger(on("x"), { canary: "b" }))).toMatchObject({
        status: "Completed",
        output: "b",
      });
    },
  },
  {
    id: "SC-143c",
    title: "Continuous runs while the app changes its key",
    proves: ["SE-7"],
    async run({ app, fn, trigger, finished, on, newClient, pause }) {
      const functions = (client: Client) => [
        fn(
          { id: "rotating", retries: 0 },
          on("x"),
          async ({ step }) => {
            await step.sleep("s", "1s");
            return await step.run("a", () => "ok");
          },
          client,
        ),
      ];
      const old = newClient({ signingKey: OLD_KEY });
      const served = await app(functions(old), { client: old });
      const runs = Array.from({ length: 15 }, async (_, i) => {
        await pause(i * 200);
        return finished(await trigger(on("x")));
      });
      await pause(1500);
      const both = newClient({ signingKey: KEY, signingKeyFallback: OLD_KEY });
      await served.resync(functions(both), both);
      for (const run of await Promise.all(runs)) expect(run).toMatchObject({ status: "Completed", output: "ok" });
    },
  },
  {
    id: "AP-23",
    title: "A registration with a wrong key is refused, with the right fallback key it is not",
    proves: ["AP-23", "SE-6"],
    async run(scenario) {
      const { app, api, trigger, finished, on, newClient, appId } = scenario;
      const wrong = newClient({ signingKey: WRONG_KEY });
      const refused = app([stepping(scenario, wrong)], { client: wrong });
      await expect(refused).rejects.toThrow(SyncRefused);
      await expect(refused).rejects.toMatchObject({ status: 401 });
      expect(JSON.stringify((await api("GET", "/v1/apps")).json)).not.toContain(`"${appId}"`);
      const saved = newClient({ signingKey: WRONG_KEY, signingKeyFallback: KEY });
      const served = await app([stepping(scenario, saved)], { client: saved });
      expect(served.sync.status).toBe(200);
      expect(await finished(await trigger(on("x"), { canary: "a" }))).toMatchObject({
        status: "Completed",
        output: "a",
      });
    },
  },
  {
    id: "SE-6",
    title: "An app whose key becomes wrong refuses the engine's calls",
    proves: ["SE-3", "EX-24"],
    async run(scenario) {
      const { app, trigger, finished, on, newClient, client } = scenario;
      const served = await app([stepping(scenario, client)]);
      const wrong = newClient({ signingKey: WRONG_KEY });
      served.redeploy([stepping(scenario, wrong)], wrong);
      const run = await finished(await trigger(on("x"), { canary: "a" }));
      expect({ status: run.status, output: JSON.stringify(run.output) }).toEqual({
        status: "Failed",
        output: expect.stringMatching(/signature_rejected/),
      });
    },
  },
  {
    id: "SC-16",
    title: "A wrong event key",
    proves: ["EV-18", "EV-20"],
    async run({ newClient, on, api, engine, client }) {
      const wrong = newClient({ eventKey: "nope" });
      await expect(wrong.send({ name: on("x") })).rejects.toThrow("Event key not found");
      const none = await api("POST", "/e/", {}, { authorization: "" });
      expect(none).toMatchObject({ status: 401, json: { error: "Event key is required" } });
      const [id = ""] = await client.send({ name: on("x") });
      expect(await engine.event(id)).toMatchObject({ name: on("x") });
    },
  },
  {
    id: "AP-13",
    title: "An app in dev mode is told which variable to set",
    proves: ["AP-13", "AP-23"],
    async run(scenario) {
      const { app, sdk, engine, api, appId } = scenario;
      const dev = sdk.client({ id: appId, engine: engine.url, mode: "dev" });
      const served = await app([stepping(scenario, dev)], { client: dev, sync: false });
      const { status, message } = await requestSync(served.url);
      expect(status).not.toBe(200);
      expect(message).toContain("INNGEST_DEV=0");
      expect(message).toMatch(/dev mode[\s\S]*cloud mode/);
      expect(JSON.stringify((await api("GET", "/v1/apps")).json)).not.toContain(`"${appId}"`);
    },
  },
];

conformance("Cloud mode", [...signed, ...keys], {
  bindings: {
    MILLRACE_MODE: "cloud",
    MILLRACE_ALLOW_PRIVATE_APPS: "1",
    INNGEST_SIGNING_KEY: KEY,
    INNGEST_SIGNING_KEY_FALLBACK: OLD_KEY,
    INNGEST_EVENT_KEY: EVENT_KEY,
  },
});
