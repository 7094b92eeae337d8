/**
 * Every call of v1, answered by a real engine with runs of a real SDK, held against the document (API-24).
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import { contractClient } from "./contract.ts";
import { callWebhooks } from "./webhooks.ts";
import { populate } from "./world.ts";

const UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/** What SDKs call while they run functions, and sockets: their own tests hold them against their protocol. */
const ELSEWHERE =
  /^(?:checkpoint|checkpointOfEndpoint|(?:begin|continue|resultOf)(?:Checkpoint|Endpoint)|.*Realtime.*|publish|publishStream|followRun|sendSpans)$/;

/** What dev mode, with its one environment and without signing keys, has no use for: `environments.ts` holds these against the document. */
const CLOUD = /^(?:(?:create|change|archive|unarchive)Environment|(?:rotate|reveal)SigningKey)$/;

const listOf = z.object({ data: z.array(z.looseObject({ run_id: z.string(), status: z.string() })) });
const begunOf = z.object({ data: z.looseObject({ run_id: z.string() }) });
const withId = z.looseObject({ id: z.string() });

const FIGURES = [
  "getStatusShares",
  "getFailedFunctions",
  "getFunctionFigures",
  "getRunThroughput",
  "getStepThroughput",
  "getRequestThroughput",
  "getConcurrency",
  "getBacklog",
  "getEngineFigures",
  "getModelFigures",
];

/** The cases. */
export const v1: readonly Case[] = [
  {
    id: "API-24",
    title: "Every call of v1 answers as its document says",
    proves: ["API-3", "API-4", "API-7", "API-9", "API-10", "API-17", "API-18", "API-24"],
    sdks: ["v4"],
    async run(scenario) {
      const { engine, slug, on, appId, until, finished, trigger } = scenario;
      const { runs, events, url } = await populate(scenario);
      const { call, ids, seen } = await contractClient(engine, "/v1/openapi.json");
      await call("getOpenApi");

      // A generated client lists runs.
      const listed = listOf.parse(await call("listRuns", { parameters: { limit: 100 } })).data;
      expect(listed.map(({ run_id }) => run_id)).toEqual(expect.arrayContaining([runs.completed, runs.skipped]));
      for (const [status, id] of [
        ["Completed", runs.completed],
        ["Failed", runs.failed],
        ["Cancelled", runs.cancelled],
        ["Skipped", runs.skipped],
      ] as const) {
        const { data } = listOf.parse(await call("listRuns", { parameters: { status, limit: 100 } }));
        expect(data.map(({ run_id }) => run_id)).toContain(id);
        expect(new Set(data.map((run) => run.status))).toEqual(new Set([status]));
      }
      for (const id of Object.values(runs)) {
        for (const read of ["getRun", "getRunJobs", "getRunTrace", "getRunWhy"])
          await call(read, { parameters: { id } });
      }
      const { root } = z
        .object({ data: z.object({ root: z.looseObject({ output_id: z.string() }) }) })
        .parse(await call("getRunTrace", { parameters: { id: runs.completed } })).data;
      await call("getRunOutput", { parameters: { id: runs.completed, output: root.output_id } });
      await call("getRunOutput", { parameters: { id: runs.completed, output: "none" } }, 404);

      for (const figures of FIGURES) await call(figures);
      await call("getStatusShares", { parameters: { range: "1h", app_id: appId } });
      await call("getPrometheusMetrics", { parameters: { env: "local" } });
      await call("listEventTypes");
      await call("getEventType", { parameters: { name: on("completes") } });
      await call("search", { parameters: { q: "completes" } });
      for (const kept of ["listInsightsTables", "listInsightsTemplates", "listInsightsQueries"]) await call(kept);
      await call("queryInsights", { body: { sql: "SELECT name FROM events" } });
      await call("queryInsights", { body: { sql: "DROP TABLE events" } }, 400);
      const question = { name: "names", sql: "SELECT name FROM events" };
      const saved = z.object({ data: withId }).parse(await call("saveInsightsQuery", { body: question })).data;
      await call("listInsightsQueries", { parameters: { kind: "asked" } });
      await call("deleteInsightsQuery", { parameters: { id: saved.id } });
      await call("deleteInsightsQuery", { parameters: { id: saved.id } }, 404);
      await call("listRuns", { parameters: { q: "event.data.n == 1" } });
      await call("listEvents", { parameters: { limit: 50 } });
      for (const id of [...Object.values(events), "sender-1"]) await call("getEvent", { parameters: { id } });
      await call("listEventRuns", { parameters: { id: events.completed } });

      await call("listFunctions");
      const [paused, completes] = [slug("paused"), slug("completes")];
      await call("getFunction", { parameters: { slug: completes } });
      await call("resumeFunction", { parameters: { slug: paused } });
      await call("pauseFunction", { parameters: { slug: paused }, body: { running: "cancel" } });
      await call("resumeFunction", { parameters: { slug: paused } });
      await call("resumeFunction", { parameters: { slug: paused } }, 409);
      await call("archiveFunction", { parameters: { slug: paused } });
      await call("unarchiveFunction", { parameters: { slug: paused } });

      for (let n = 0; n < 3; n++) await trigger(on("one-by-one"), { key: "k" });
      await call("listLines", { parameters: { slug: slug("one-by-one") } });
      await call("getLine", { parameters: { slug: slug("one-by-one"), key: "k" } });
      await call("listWindows", { parameters: { slug: slug("gathers") } });
      await call("runWindow", { parameters: { slug: slug("gathers") }, body: { kind: "debounce" } });
      await call("runWindow", { parameters: { slug: slug("gathers") }, body: { kind: "debounce", key: "no" } }, 404);
      await finished(events.gathered);

      const invoked = { parameters: { slug: completes } };
      await call("invokeFunction", { ...invoked, body: { data: { n: 2 } } });
      await call("invokeFunction", { ...invoked, body: { data: { n: 3 }, wait: 60 } });
      await call("invokeFunction", { parameters: { slug: slug("sleeps") }, body: { wait: 0.1 } }, 202);
      await call("rerunRun", { parameters: { id: runs.completed }, body: {} });
      await call("rerunRun", { parameters: { id: runs.completed }, body: { from_step: "first" } });
      await call("rerunRun", { parameters: { id: runs.completed }, body: { from_step: "none" } }, 404);
      await call("rerunRun", { parameters: { id: runs.completed }, body: { input: [1] } }, 400);
      const scored = { metadata: [{ kind: "inngest.score", op: "merge", values: { good: { value: 1 } } }] };
      await call("addMetadata", { parameters: { runId: runs.completed }, body: scored });
      await call("getRun", { parameters: { id: runs.completed } });
      await call("sendSignal", { body: { signal: on("go"), data: { n: 1 } } });
      await call("sendSignal", { body: { signal: "nobody", data: null } }, 404);

      const before = new Date().toISOString();
      const wanted = { app_id: appId, function_id: "sleeps", started_before: before };
      const cancellation = withId.parse(await call("createCancellation", { body: wanted }));
      await until(async () => JSON.stringify(await call("listCancellations")).includes(cancellation.id));
      await call("getCancellation", { parameters: { id: cancellation.id } });
      await call("stopCancellation", { parameters: { id: cancellation.id } });
      await call("createCancellation", { body: { ...wanted, started_before: "2100-01-01T00:00:00Z" } }, 400);

      const failed = { function_id: slug("fails"), statuses: ["Failed"], name: "again" };
      await call("createReplay", { body: { ...failed, dry_run: true } });
      const replay = z.object({ data: withId }).parse(await call("createReplay", { body: failed })).data;
      await call("getReplay", { parameters: { id: replay.id } });
      await until(async () => JSON.stringify(await call("listReplays")).includes(replay.id));
      await call("stopReplay", { parameters: { id: replay.id } });

      await call("createDeletion", { body: { if: `event.name == "${on("completes")}"`, dry_run: true } });
      const deletion = z
        .object({ data: withId })
        .parse(await call("createDeletion", { body: { external_id: "nobody" } })).data;
      await call("getDeletion", { parameters: { id: deletion.id } });
      await until(async () => JSON.stringify(await call("listDeletions")).includes(deletion.id));
      await call("stopDeletion", { parameters: { id: deletion.id } });
      await call("createDeletion", { body: { run_id: UNKNOWN } }, 404);
      await call("createDeletion", { body: {} }, 400);

      const doomed = begunOf.parse(
        await call("invokeFunction", { parameters: { slug: slug("waits") }, body: { data: { n: 1 } } }),
      ).data.run_id;
      await call("cancelRun", { parameters: { id: doomed } });
      // Its first call may be in flight.
      await until(async () => (await engine.run(doomed)).status === "Cancelled");
      await call("cancelRun", { parameters: { id: doomed } }, 409);

      const app = { parameters: { name: appId } };
      await call("listApps");
      for (const read of ["getApp", "listAppFunctions", "listAppWorkers", "listAppSyncs"]) await call(read, app);
      const health = z.object({ data: z.object({ healthy: z.boolean() }) }).parse(await call("checkAppHealth", app));
      expect(health.data.healthy).toBe(true);
      await call("syncApp", app);
      await call("createApp", { body: { url } });
      await call("createApp", { body: { url: "http://127.0.0.1:1/api/inngest" } }, 400);
      await call("archiveApp", app);
      await call("archiveApp", app, 409);
      await call("unarchiveApp", app);

      await call("listEnvironments");
      await call("getEnvironment", { parameters: { id: "local" } });
      await call("createEnvironment", { body: { name: "another" } }, 409);
      await call("listSigningKeys");
      await call("rotateSigningKey", { body: { phase: "create" } }, 409);
      const key = z.object({ data: withId }).parse(await call("createEventKey", { body: { name: "a key" } })).data;
      const ofKey = { parameters: { id: key.id } };
      await call("changeEventKey", { ...ofKey, body: { name: "renamed" } });
      await call("revealEventKey", ofKey);
      await call("listEventKeys");
      await call("deleteEventKey", ofKey);
      const tool = { name: "a tool", scope: "read" };
      const api = z.object({ data: withId }).parse(await call("createApiKey", { body: tool })).data;
      await call("listApiKeys");
      await call("deleteApiKey", { parameters: { id: api.id } });
      await callWebhooks(engine, call);

      // What nobody knows, and what nobody understands.
      for (const id of ["getRun", "getRunJobs", "getRunWhy", "cancelRun", "getEvent", "listEventRuns"]) {
        await call(id, { parameters: { id: UNKNOWN } }, 404);
      }
      for (const noun of ["Cancellation", "Replay", "Deletion"]) {
        for (const verb of ["get", "stop"]) await call(`${verb}${noun}`, { parameters: { id: UNKNOWN } }, 404);
      }
      for (const id of ["getApp", "listAppFunctions", "listAppWorkers", "listAppSyncs", "checkAppHealth", "syncApp"]) {
        await call(id, { parameters: { name: "nobody" } }, 404);
      }
      for (const id of [
        "getFunction",
        "pauseFunction",
        "resumeFunction",
        "invokeFunction",
        "listLines",
        "listWindows",
      ]) {
        await call(id, { parameters: { slug: "nobody" } }, 404);
      }
      await call("listRuns", { parameters: { cursor: "nonsense" } }, 400);
      await call("listEvents", { parameters: { received_after: "yesterday" } }, 400);
      await call("listRuns", { parameters: { limit: 5000 } });
      await call("createCancellation", { body: { app_id: 7 } }, 400);
      await call("createReplay", { body: "not JSON" }, 400);

      const answered = ids.filter((id) => [...seen].some((one) => one.startsWith(`${id} 2`)));
      expect(answered.sort()).toEqual(ids.filter((id) => !ELSEWHERE.test(id) && !CLOUD.test(id)).sort());
    },
  },
];
