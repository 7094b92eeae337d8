/**
 * Scenarios of a run's end: failure handlers and the engine's own events (CR-29 to CR-35, TR-19, TR-20, AP-18).
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import type { Scenario } from "../harness/scenario.ts";
import type { Data, FailureData } from "../harness/sdk.ts";

const endEventSchema = z.looseObject({
  internal_id: z.string(),
  name: z.string(),
  data: z.looseObject({ function_id: z.string(), run_id: z.string() }),
});

const pageSchema = z.object({
  data: z.array(endEventSchema),
  metadata: z.looseObject({ next_cursor: z.string().nullable() }),
});

/** The stored events of one kind about functions of this scenario. */
async function endEvents({ api, appId }: Scenario, name: string): Promise<z.infer<typeof endEventSchema>[]> {
  const events: z.infer<typeof endEventSchema>[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query = `limit=100&name=${encodeURIComponent(name)}${cursor === "" ? "" : `&cursor=${cursor}`}`;
    const page: z.infer<typeof pageSchema> = pageSchema.parse((await api("GET", `/v1/events?${query}`)).json);
    events.push(...page.data);
    cursor = page.metadata.next_cursor;
  }
  return events.filter((event) => event.data.function_id.startsWith(`${appId}-`));
}

const FAILED = "inngest/function.failed";
const FINISHED = "inngest/function.finished";

/** The scenarios. */
export const endings: readonly Case[] = [
  {
    id: "SC-137",
    title: "Failure handler",
    proves: ["CR-31", "AP-18", "EX-19"],
    async run({ app, fn, on, trigger, finished, until, pause, api, mark, marks, names, appId, slug }) {
      await app([
        fn<{ shop: string }>(
          {
            id: "import-product-images",
            name: "Import product images",
            retries: 5,
            onFailure: async ({ error, event, runId, step }) => {
              const other = event.data.run_id !== runId;
              await step.run("report", () => mark(`report:${error.message}:${event.data.event.data.shop}:${other}`));
            },
          },
          on("x"),
          () => {
            mark("try");
            throw new Error("cdn down");
          },
        ),
      ]);
      expect(await finished(await trigger(on("x"), { shop: "s1" }))).toMatchObject({ status: "Failed" });
      await until(() => marks("report:").length > 0);
      await pause(1500);
      expect(marks("try")).toHaveLength(6);
      expect(names("report:")).toEqual(["report:cdn down:s1:true"]);
      const { json } = await api("GET", `/v1/apps/${appId}/functions`);
      expect(json).toContainEqual(
        expect.objectContaining({
          slug: `${slug("import-product-images")}-failure`,
          name: "Import product images (failure)",
        }),
      );
    },
  },
  {
    id: "CR-31",
    title: "A failure handler has retries and steps of its own",
    proves: ["CR-31", "CR-29"],
    async run({ app, fn, on, trigger, finished, until, mark, marks, names, sdk: { NonRetriableError } }) {
      await app([
        fn(
          {
            id: "hopeless",
            onFailure: async ({ step, attempt, error }) => {
              await step.run("flaky", () => {
                mark(`handler:${attempt}`);
                if (attempt === 0) throw new Error("again");
              });
              await step.run("done", () =>
                mark(`done:${error.name}:${error.message}:${error.stack?.includes("no use")}`),
              );
            },
          },
          on("x"),
          () => {
            mark("try");
            throw new NonRetriableError("no use");
          },
        ),
      ]);
      await finished(await trigger(on("x")));
      await until(() => marks("done:").length === 1);
      expect(marks("try")).toHaveLength(1);
      expect(names("handler:")).toEqual(["handler:0", "handler:1"]);
      expect(marks("done:")[0]?.name).toMatch(/^done:(Error|NonRetriableError):no use:true$/);
    },
  },
  {
    id: "SC-138",
    title: "All failures of an environment",
    proves: ["CR-30", "CR-32", "TR-19", "TR-20"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, until, pause, mark, names, slug } = scenario;
      await app([
        fn({ id: "bad", retries: 0 }, on("x"), () => {
          throw new TypeError("kaput");
        }),
        fn<FailureData<{ v: number }>>({ id: "track-failures", retries: 0 }, FAILED, ({ event }) => {
          const { function_id, error, run_id, event: original, events } = event.data;
          mark(`f:${function_id}:${error.name}:${error.message}:${run_id}:${original.data.v}:${events.length}`);
          throw new Error("handler fails too");
        }),
      ]);
      const run = await finished(await trigger(on("x"), { v: 1 }));
      const own = () => names(`f:${slug("bad")}:`);
      await until(() => own().length > 0);
      await pause(2000);
      expect(own()).toEqual([`f:${slug("bad")}:TypeError:kaput:${run.run_id}:1:1`]);
      for (const name of [FAILED, FINISHED]) {
        const about = (await endEvents(scenario, name)).map((event) => event.data.function_id);
        expect(about, name).toEqual([slug("bad")]);
      }
    },
  },
  {
    id: "CR-30",
    title: "One failed event and one finished event per failed run, with the error and the trigger",
    proves: ["CR-29", "CR-30", "CR-34", "CR-35"],
    async run(scenario) {
      const { app, fn, send, on, finished, until, pause, slug } = scenario;
      await app([
        fn({ id: "hello", retries: 1 }, on("x"), () => {
          throw new Error("boom", { cause: new Error("inner") });
        }),
      ]);
      const [id = ""] = await send({ name: on("x"), data: { n: 1 }, user: { plan: "pro" }, v: "2026-01-01.1" });
      const run = await finished(id);
      await until(async () => (await endEvents(scenario, FINISHED)).length > 0);
      await until(async () => (await endEvents(scenario, FAILED)).length > 0);
      await pause(1000);
      const [failed, ...others] = await endEvents(scenario, FAILED);
      const [finishedEvent, ...more] = await endEvents(scenario, FINISHED);
      expect([...others, ...more]).toEqual([]);
      const trigger = {
        id,
        name: on("x"),
        data: { n: 1 },
        user: { plan: "pro" },
        v: "2026-01-01.1",
        ts: expect.any(Number),
      };
      const common = {
        function_id: slug("hello"),
        run_id: run.run_id,
        event: trigger,
        events: [trigger],
        _inngest: { status: "Failed" },
        error: { name: "Error", message: "boom", error: "Error: boom", stack: expect.stringContaining("boom") },
      };
      expect(failed).toMatchObject({ name: FAILED, user: {}, data: common });
      expect(finishedEvent).toMatchObject({ name: FINISHED, user: {}, data: common });
      expect(finishedEvent?.data).not.toHaveProperty("result");
    },
  },
  {
    id: "CR-34",
    title: "A finished event carries the result",
    proves: ["CR-34", "CR-35", "TR-19"],
    async run(scenario) {
      const { app, fn, on, trigger, ended, until, mark, marks, names, slug } = scenario;
      await app([
        fn("three", on("x"), () => 3),
        fn("nothing", on("x"), () => undefined),
        fn<Data>("watch", { event: FINISHED, if: `event.data.function_id == '${slug("three")}'` }, ({ event, step }) =>
          step.run("note", () => mark(`result:${JSON.stringify(event.data["result"])}`)),
        ),
      ]);
      await ended(await trigger(on("x")), 2);
      await until(() => marks("result:").length > 0);
      await until(async () => (await endEvents(scenario, FINISHED)).length >= 2);
      expect(names("result:")).toEqual(["result:3"]);
      const events = await endEvents(scenario, FINISHED);
      const result = (id: string) => events.find((event) => event.data.function_id === slug(id))?.data;
      expect(result("three")).toMatchObject({ result: 3, _inngest: { status: "Completed" } });
      expect(result("nothing")).toMatchObject({ result: null, _inngest: { status: "Completed" } });
      expect(await endEvents(scenario, FAILED)).toEqual([]);
    },
  },
  {
    id: "CR-32",
    title: "One listener for several failing functions",
    proves: ["CR-32", "TR-19"],
    async run({ app, fn, on, trigger, ended, until, pause, mark, marks, names, appId, slug }) {
      const bad = (id: string) =>
        fn({ id, retries: 0 }, on("x"), () => {
          throw new Error(id);
        });
      const mine = `event.data.function_id.startsWith('${appId}-')`;
      await app([
        bad("one"),
        bad("two"),
        fn("fine", on("x"), () => 1),
        fn<FailureData<Data>>("listener", { event: FAILED, if: mine }, ({ event }) =>
          mark(`heard:${event.data.function_id}`),
        ),
      ]);
      await ended(await trigger(on("x")), 3);
      await until(() => marks("heard:").length >= 2);
      await pause(500);
      expect(names("heard:").sort()).toEqual([`heard:${slug("one")}`, `heard:${slug("two")}`]);
    },
  },
];
