/**
 * Every call of v2, answered by a real engine with runs of a real SDK, held against the document (API-22, API-24).
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import { contractClient } from "./contract.ts";
import { populate } from "./world.ts";

const UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

const run = z.looseObject({ id: z.string(), status: z.string(), output: z.unknown().optional() });
const oneRun = z.object({ data: run });
const page = z.object({
  data: z.array(run),
  page: z.object({ cursor: z.string().nullable(), hasMore: z.boolean(), limit: z.number() }),
});
const begun = z.object({ data: z.looseObject({ runId: z.string() }) });
const refused = z.object({ errors: z.array(z.object({ code: z.string(), message: z.string() })).length(1) });

/** The cases. */
export const v2: readonly Case[] = [
  {
    id: "API-22",
    title: "Every call of v2 answers as its document says",
    proves: ["API-14", "API-22", "API-24"],
    sdks: ["v4"],
    async run(scenario) {
      const { engine, slug, on, appId, until } = scenario;
      const { runs, events, url } = await populate(scenario);
      const { call, ids, seen } = await contractClient(engine, "/v2/openapi.json");
      const codeOf = async (...args: Parameters<typeof call>) => refused.parse(await call(...args)).errors[0]?.code;
      for (const id of ["getOpenApi", "health", "getAccount", "listEnvs", "listEventKeys", "listSigningKeys"]) {
        await call(id);
      }
      await call("createWebhook", { body: { name: "Acme" } });
      await call("createWebhook", { body: { name: "Acme", transform: "{" } }, 400);
      for (const id of ["listWebhooks", "listExperiments", "listOperations", "listApps"]) await call(id);
      const later = ["createEnv", "updateEnv"];
      // Dev mode has one environment: `environments.ts` makes others.
      expect(await codeOf("createEnv", { body: { name: "x" } }, 409)).toBe("resource_already_exists");
      expect(await codeOf("updateEnv", { parameters: { id: "x" }, body: { isArchived: true } }, 404)).toBe(
        "env_not_found",
      );

      const app = { appId };
      for (const id of ["getApp", "listSyncs", "listFunctions", "syncApp"]) await call(id, { parameters: app });
      await call("syncApp", { parameters: app, body: { url } });
      expect(await codeOf("syncApp", { parameters: app, body: { url: "http://127.0.0.1:1/" } }, 400)).toBe(
        "app_sync_failed",
      );
      const completes = { ...app, functionId: "completes" };
      await call("getFunction", { parameters: completes });
      await call("getFunction", { parameters: { ...app, functionId: slug("completes") } });
      await call("listFunctionExperiments", { parameters: completes });
      await call("getFunctionExperiment", { parameters: { ...completes, experiment: "x" } }, 404);

      for (const runId of Object.values(runs)) {
        await call("getRun", { parameters: { runId } });
        await call("getRunTrace", { parameters: { runId } });
      }
      const completed = oneRun.parse(await call("getRun", { parameters: { runId: runs.completed } })).data;
      expect(completed).toMatchObject({
        status: "COMPLETED",
        function: { slug: slug("completes"), name: "completes" },
        app: { name: appId },
        trigger: { eventIds: [events.completed], eventName: on("completes"), isBatch: false },
        output: { data: { n: 1 } },
      });
      const list = async (parameters: Record<string, string | number | boolean>) =>
        page.parse(await call("listRuns", { parameters }));
      const newest = await list({ limit: 100, includeOutput: true });
      const oldest = await list({ limit: 100, order: "asc", appId });
      const idsOf = ({ data }: z.infer<typeof page>) => data.map(({ id }) => id);
      expect(idsOf(oldest)).toEqual([...idsOf(newest)].sort());
      expect(newest.data.find(({ id }) => id === runs.completed)?.output).toEqual(completed.output);
      expect(oldest.data.every((one) => !("output" in one))).toBe(true);
      const first = await list({ limit: 2, order: "asc" });
      expect(first.page).toEqual({ cursor: first.data[1]?.id, hasMore: true, limit: 2 });
      const second = await list({ limit: 2, order: "asc", cursor: first.page.cursor ?? "" });
      expect([...idsOf(first), ...idsOf(second)]).toEqual(idsOf(oldest).slice(0, 4));
      expect(idsOf(await list({ status: "failed,CANCELLED" })).sort()).toEqual([runs.failed, runs.cancelled].sort());
      expect(idsOf(await list({ isDeferred: true }))).toEqual([]);
      expect(
        idsOf(await list({ functionId: slug("fails"), timeField: "endedAt", until: "2100-01-01T00:00:00Z" })),
      ).toEqual([runs.failed]);
      expect(
        idsOf(page.parse(await call("listFunctionRuns", { parameters: { ...app, functionId: "sleeps" } }))),
      ).toEqual([runs.sleeping]);

      const invoke = (key: string) =>
        call("invokeFunction", { parameters: completes, body: { data: { n: 9 }, idempotencyKey: key } });
      const [one, again, other] = [await invoke("a"), await invoke("a"), await invoke("b")].map(
        (answer) => begun.parse(answer).data.runId,
      );
      expect(again).toBe(one);
      expect(other).not.toBe(one);
      const ended = await until(async () => {
        const { data } = oneRun.parse(await call("getRun", { parameters: { runId: one ?? "" } }));
        return data.status === "COMPLETED" ? data : null;
      });
      expect(ended.output).toMatchObject({ data: { n: 9 } });
      await call("rerunRun", { parameters: { runId: runs.completed } });
      const fromStep = { stepId: "first", input: [2] };
      await call("rerunRun", { parameters: { runId: runs.completed }, body: { fromStep } });
      expect(
        await codeOf("rerunRun", { parameters: { runId: runs.completed }, body: { fromStep: { stepId: "no" } } }, 404),
      ).toBe("not_found");
      const score = { name: "quality", value: 0.5 };
      await call("createScore", { parameters: { runId: runs.completed }, body: score });
      expect((await engine.api("GET", `/v1/runs/${runs.completed}`)).json).toMatchObject({
        data: { metadata: [{ kind: "inngest.score", values: { quality: { value: 0.5 } } }] },
      });
      await call("createScore", { parameters: { runId: runs.completed }, body: { ...score, stepId: "first" } });
      const { data: scored } = z
        .object({ data: z.object({ rootSpan: z.object({ children: z.array(z.unknown()) }) }) })
        .parse(await call("getRunTrace", { parameters: { runId: runs.completed } }));
      expect(scored.rootSpan.children).toContainEqual(
        expect.objectContaining({
          name: "first",
          metadata: [expect.objectContaining({ kind: "inngest.score", values: { quality: { value: 0.5 } } })],
        }),
      );
      await call("cancelRun", { parameters: { runId: runs.waiting } });
      const cancel = (runId: string, status: number) => codeOf("cancelRun", { parameters: { runId } }, status);
      expect(await cancel(runs.waiting, 409)).toBe("run_already_cancelled");
      expect(await cancel(runs.completed, 409)).toBe("run_already_ended");
      expect(await cancel(UNKNOWN, 404)).toBe("not_found");

      const sent = z
        .object({ data: z.object({ id: z.string(), runIds: z.array(z.string()) }) })
        .parse(
          await call("sendEvent", { body: { name: on("completes"), data: { n: 4 }, id: "mine", ts: Date.now() } }),
        );
      expect(sent.data.runIds).toHaveLength(1);
      expect(await codeOf("sendEvent", { body: { name: 7 } }, 400)).toBe("validation_error");
      await call("listEvents", { parameters: { limit: 100 } });
      for (const eventId of [...Object.values(events), "sender-1"]) await call("getEvent", { parameters: { eventId } });
      const started = page.parse(await call("listEventRuns", { parameters: { eventId: events.completed, limit: 99 } }));
      expect(started.page.limit).toBe(40);
      expect(idsOf(started)).toContain(runs.completed);

      expect(await call("listSessionKeys")).toMatchObject({ data: [{ key: "chat", sessionCount: 1 }] });
      expect(await call("listSessions", { parameters: { key: "chat" } })).toMatchObject({ data: [{ id: "c-1" }] });
      const ofSession = page.parse(await call("listSessionRuns", { parameters: { key: "chat", id: "c-1" } }));
      expect(idsOf(ofSession)).toContain(runs.completed);
      expect(await call("listSessions", { parameters: { key: "nobody's" } })).toMatchObject({ data: [] });

      await call("listInsightsTables");
      const schemas = z
        .object({ data: z.array(z.object({ name: z.string(), schema: z.unknown() })) })
        .parse(await call("listEventSchemas"));
      expect(schemas.data).toContainEqual({
        name: on("completes"),
        schema: { type: "object", properties: { n: { type: "number" } } },
      });
      await call("listEventSchemas", { parameters: { limit: 1, cursor: on("completes") } });
      const sql = `SELECT name FROM events WHERE name = '${on("fails")}'`;
      expect(await call("queryInsights", { body: { sql } })).toMatchObject({
        data: { columns: [{ name: "name" }], rows: [[on("fails")]], isTruncated: false },
      });
      expect(await codeOf("queryInsights", { body: { sql: "DELETE FROM events" } }, 400)).toBe("validation_error");
      expect(await codeOf("promptInsights", { body: { prompt: "what?" } }, 501)).toBe("not_implemented");

      // What nobody knows, and what nobody understands.
      const nobody = { ...app, functionId: "nobody" };
      for (const id of ["getFunction", "invokeFunction", "listFunctionRuns", "listFunctionExperiments"]) {
        expect(await codeOf(id, { parameters: nobody }, 404)).toBe("not_found");
      }
      for (const id of ["getApp", "listSyncs", "listFunctions", "syncApp"]) {
        expect(await codeOf(id, { parameters: { appId: "nobody" } }, 404)).toBe("not_found");
      }
      for (const id of ["getRun", "getRunTrace", "rerunRun"]) {
        expect(await codeOf(id, { parameters: { runId: UNKNOWN } }, 404)).toBe("not_found");
      }
      const badly: readonly Record<string, string>[] = [
        { cursor: "nonsense" },
        { limit: "ten" },
        { status: "DONE" },
        { order: "up" },
        { from: "yesterday" },
        { timeField: "sequence" },
        { includeOutput: "perhaps" },
      ];
      for (const parameters of badly) expect(await codeOf("listRuns", { parameters }, 400)).toBe("invalid_request");
      expect(await codeOf("createScore", { parameters: { runId: UNKNOWN }, body: score }, 404)).toBe("not_found");
      expect(await codeOf("createScore", { parameters: { runId: UNKNOWN }, body: { name: "x" } }, 400)).toBe(
        "invalid_request",
      );
      expect(await codeOf("invokeFunction", { parameters: completes, body: "not JSON" }, 400)).toBe("invalid_request");
      await call("listRuns", { parameters: { limit: 5000 } });

      const answered = ids.filter((id) => [...seen].some((name) => name.startsWith(`${id} 2`)));
      const empty = [...later, "getFunctionExperiment", "promptInsights"];
      expect(answered.sort()).toEqual(ids.filter((id) => !empty.includes(id)).sort());
    },
  },
];
