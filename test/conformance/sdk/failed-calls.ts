/**
 * Scenarios of calls that fail: what the error says, and what is tried again (EX-15, EX-17, EX-23 to EX-25, EX-74).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import type { Fault } from "../harness/proxy.ts";

/** What a reply needs to look like one of an SDK. */
export const SDK_HEADERS = {
  "content-type": "application/json",
  "x-inngest-sdk": "inngest-js:v3.54.2",
  "x-inngest-sdk-handled": "true",
  "x-inngest-req-version": "1",
};

/** The app is not asked; this is the reply. */
export const instead = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Fault => {
  return { kind: "instead", status, body, headers };
};

/** The scenarios. */
export const failedCalls: readonly Case[] = [
  {
    id: "EX-24",
    title: "The error of a failed call names the side, the status and what came",
    proves: ["EX-24"],
    sdks: ["v3"],
    async run({ app, fn, on, trigger, finished, newClient }) {
      const expectations: readonly (readonly [id: string, fault: Fault, words: RegExp])[] = [
        ["gateway", instead(502, "the upstream is on fire"), /502.*the upstream is on fire/],
        ["stranger", instead(200, "hello from another site"), /not_sdk.*200.*hello from another site/],
        ["rejected", instead(401, '{"message":"Unauthorized"}', SDK_HEADERS), /signature_rejected.*401/],
        ["half", instead(206, '[{"op":', SDK_HEADERS), /bad_reply/],
        ["lost", { kind: "drop" }, /app_unreachable.*127\.0\.0\.1/],
        ["endless", { kind: "endless", headers: SDK_HEADERS }, /reply_too_large.*8388608/],
      ];
      for (const [id, fault, words] of expectations) {
        const client = newClient({ id });
        await app([fn({ id: "f", retries: 0 }, on(id), () => "ok", client)], { client, faults: [fault] });
        const { status, output } = await finished(await trigger(on(id)));
        expect({ status, output: JSON.stringify(output) }, id).toEqual({
          status: "Failed",
          output: expect.stringMatching(words),
        });
      }
    },
  },
  {
    id: "EX-24b",
    title: "An app that is away is called again until it is back",
    proves: ["EX-24", "AP-28"],
    async run({ app, fn, on, trigger, finished, pause, mark, marks }) {
      const served = await app([
        fn({ id: "away", retries: 10 }, on("x"), async ({ step }) => {
          await step.run("a", () => mark("a"));
          await step.sleep("nap", "1s");
          return step.run("b", () => "back");
        }),
      ]);
      await served.stop();
      const id = await trigger(on("x"));
      await pause(4000);
      await served.start();
      expect(await finished(id)).toMatchObject({ status: "Completed", output: "back" });
      expect(marks("a")).toHaveLength(1);
    },
  },
  {
    id: "EX-24c",
    title: "A proxy's Retry-After is respected",
    proves: ["EX-23", "EX-24"],
    async run({ app, fn, on, trigger, finished, engine }) {
      await app([fn("limited", on("x"), () => Date.now())], {
        faults: [instead(429, "slow down", { "retry-after": "4" }), instead(503, "later", { "retry-after": "3" })],
      });
      const id = await trigger(on("x"));
      const [queued] = await engine.runsOf(id);
      const run = await finished(id);
      expect(run.status).toBe("Completed");
      expect(Number(run.output) - Date.parse(queued?.queued_at ?? "")).toBeGreaterThanOrEqual(7000);
    },
  },
  {
    id: "EX-25",
    title: "Redirects are followed, method and body kept",
    proves: ["EX-25"],
    async run({ app, fn, on, trigger, finished, slug }) {
      const redirect = (path: string): Fault => ({ kind: "redirect", path });
      const served = await app([fn({ id: "moved", retries: 0 }, on("x"), ({ event }) => event.data["n"])], {
        faults: [redirect("/one"), redirect("/two")],
      });
      expect(await finished(await trigger(on("x"), { n: 7 }))).toMatchObject({ status: "Completed", output: 7 });
      const called = served.received().filter(({ method }) => method === "POST");
      expect(called.map(({ url }) => url)).toEqual([`/two?fnId=${slug("moved")}&stepId=step`]);
    },
  },
  {
    id: "EX-25b",
    title: "Redirects have an end",
    proves: ["EX-25"],
    sdks: ["v4"],
    async run({ app, fn, on, trigger, finished }) {
      const round = Array.from({ length: 12 }, (): Fault => ({ kind: "redirect", path: "/round" }));
      const served = await app([fn({ id: "lost", retries: 0 }, on("x"), () => "ok")], { faults: round });
      expect((await finished(await trigger(on("x")))).status).toBe("Failed");
      expect(served.calls()).toBe(0);
    },
  },
  {
    id: "SC-71b",
    title: "Limits of a run: steps, of which this engine allows 100",
    proves: ["EX-15"],
    async run({ app, fn, on, trigger, ended, runOf, mark, marks }) {
      await app([
        fn("sequence", on("x"), async ({ step }) => {
          for (let i = 0; i < 101; i++) await step.run(`n${i}`, () => mark("sequence"));
        }),
        fn("parallel", on("x"), async ({ step }) => {
          await Promise.all(Array.from({ length: 101 }, (_, i) => step.run(`n${i}`, () => mark("parallel"))));
        }),
        fn("fits", on("x"), async ({ step }) => {
          for (let i = 0; i < 99; i++) await step.run(`n${i}`, () => mark("fits"));
          await step.sleep("hundredth", 1000);
        }),
      ]);
      const runs = await ended(await trigger(on("x")), 3);
      for (const id of ["sequence", "parallel"]) {
        const { status, output } = runOf(runs, id);
        expect({ status, output: JSON.stringify(output) }).toEqual({
          status: "Failed",
          output: expect.stringMatching(/step_limit_exceeded[\s\S]*100|100[\s\S]*step_limit_exceeded/),
        });
      }
      expect(runOf(runs, "fits").status).toBe("Completed");
      expect(marks("sequence")).toHaveLength(100);
      expect(marks("fits")).toHaveLength(99);
    },
  },
  {
    id: "EX-17",
    title: "A step that outlasts the deadline fails its attempt",
    proves: ["EX-17", "EX-11"],
    async run({ app, fn, on, trigger, ended, runOf, engine, until, pause, mark, marks }) {
      await app([
        fn({ id: "slow", retries: 1 }, on("x"), async ({ step, attempt }) =>
          step.run("s", async () => {
            if (attempt === 0) await sleep(7000);
            mark(`done:${attempt}`);
            return attempt;
          }),
        ),
        fn({ id: "never", retries: 0 }, on("x"), async () => sleep(7000)),
      ]);
      const id = await trigger(on("x"));
      const runs = await ended(id, 2);
      expect(runOf(runs, "slow")).toMatchObject({ status: "Completed", output: 1 });
      const never = runOf(runs, "never");
      expect(never.status).toBe("Failed");
      expect(JSON.stringify(never.output)).toMatch(/call_timeout/);
      expect(JSON.stringify(never.output)).toMatch(/5 s|5s|5000/);
      await until(() => marks("done:0").length === 1);
      await pause(500);
      expect(await engine.run(runOf(runs, "slow").run_id)).toMatchObject(runOf(runs, "slow"));
    },
  },
  {
    id: "SC-104",
    title: "A step inside a step",
    proves: ["EX-74", "EX-17"],
    async run({ app, fn, on, trigger, finished }) {
      await app([
        fn({ id: "nested", retries: 0 }, on("x"), ({ step }) => step.run("outer", () => step.run("inner", () => 1))),
        fn("next", on("y"), () => "normal"),
      ]);
      // Step by step, both SDKs only warn and then never answer: what ends the run is the engine's deadline.
      const run = await finished(await trigger(on("x")));
      expect({ status: run.status, output: JSON.stringify(run.output) }).toEqual({
        status: "Failed",
        output: expect.stringMatching(/call_timeout/),
      });
      expect(await finished(await trigger(on("y")))).toMatchObject({ status: "Completed", output: "normal" });
    },
  },
];
