/**
 * GraphQL as public tools use it (API-23, protocol/12 §12.5): every query and mutation by real runs, and what is refused.
 */
import { expect } from "vitest";
import * as z from "zod";
import { type Case, conformance } from "../harness/cases.ts";
import { ask, gql } from "./gql.ts";

const OLD = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

const queries: readonly Case[] = [
  {
    id: "API-23",
    title: "Events, runs and what triggered them, in the shapes of all generations of tools",
    proves: ["API-23"],
    async run({ app, fn, on, trigger, finished, engine, slug, until }) {
      await app([
        fn({ id: "adds", name: "Adds" }, on("x"), async ({ event, step }) =>
          step.run("add", () => Number(event.data["n"]) + 1),
        ),
      ]);
      const eventId = await trigger(on("x"), { n: 1 });
      const { run_id: runId } = await finished(eventId);

      const one = await gql(
        engine,
        "query Q($id: ID!) { event(query: { eventId: $id }) { id name payload functionRuns { id status output } } }",
        { id: eventId },
      );
      expect(one).toEqual({
        event: {
          id: eventId,
          name: on("x"),
          payload: '{"n":1}',
          functionRuns: [{ id: runId, status: "COMPLETED", output: "2" }],
        },
      });

      const v2 = await gql(
        engine,
        "query Q($id: ULID!) { eventV2(id: $id) { id idempotencyKey name raw occurredAt receivedAt version runs { id status function { name slug } } } }",
        { id: eventId },
      );
      expect(v2).toMatchObject({
        eventV2: {
          id: eventId,
          idempotencyKey: null,
          runs: [{ id: runId, status: "COMPLETED", function: { slug: slug("adds") } }],
        },
      });
      expect(JSON.parse(z.object({ eventV2: z.object({ raw: z.string() }) }).parse(v2).eventV2.raw)).toMatchObject({
        name: on("x"),
        data: { n: 1 },
      });

      const run = await gql(
        engine,
        "query Q($id: ID!) { functionRun(query: { functionRunId: $id }) { output status event { id name } startedAt finishedAt } }",
        { id: runId },
      );
      expect(run).toMatchObject({
        functionRun: { output: "2", status: "COMPLETED", event: { id: eventId, name: on("x") } },
      });

      const newer = await gql(
        engine,
        "query Q($id: String!) { run(runID: $id) { status output traceID isBatch batchCreatedAt cronSchedule endedAt hasAI app { externalID } } }",
        { id: runId },
      );
      expect(newer).toMatchObject({
        run: {
          status: "COMPLETED",
          output: "2",
          isBatch: false,
          batchCreatedAt: null,
          cronSchedule: null,
          hasAI: false,
        },
      });

      const triggered = await gql(
        engine,
        "query Q($id: String!) { runTrigger(runID: $id) { payloads eventName IDs isBatch batchID cron timestamp } }",
        { id: runId },
      );
      expect(triggered).toMatchObject({
        runTrigger: {
          eventName: on("x"),
          IDs: [eventId],
          isBatch: false,
          batchID: null,
          cron: null,
          payloads: [expect.stringContaining('"data":{"n":1}')],
        },
      });

      const from = new Date(Date.now() - 60_000).toISOString();
      await until(async () => {
        const { runs } = await gql(
          engine,
          "query Q($from: Time!, $fn: [UUID!]) { runs(first: 5, orderBy: [{ field: QUEUED_AT, direction: DESC }], filter: { from: $from, status: [COMPLETED], functionIDs: $fn }) { edges { cursor node { id status traceID startedAt queuedAt endedAt } } pageInfo { hasNextPage endCursor } totalCount } }",
          { from, fn: [await functionId(engine, slug("adds"))] },
        );
        expect(runs).toMatchObject({
          edges: [{ node: { id: runId, status: "COMPLETED" } }],
          pageInfo: { hasNextPage: false },
          totalCount: 1,
        });
        return true;
      });

      const events = await gql(
        engine,
        "query Q($from: Time!, $name: String!) { eventsV2(first: 5, filter: { from: $from, eventNames: [$name] }) { edges { node { id name } cursor } totalCount pageInfo { hasNextPage endCursor hasPreviousPage startCursor } } }",
        { from, name: on("x") },
      );
      expect(events).toMatchObject({
        eventsV2: {
          edges: [{ node: { id: eventId }, cursor: eventId }],
          totalCount: 1,
          pageInfo: { hasNextPage: false, endCursor: eventId, startCursor: eventId },
        },
      });

      const searched = await gql(
        engine,
        "query Q($from: Time!, $q: String!) { runs(orderBy: [], filter: { from: $from, query: $q }) { edges { node { id } } } eventsV2(filter: { from: $from, query: $q }) { edges { node { id } } } }",
        { from, q: `event.name == "${on("x")}" && event.data.n == 1` },
      );
      expect(searched).toEqual({
        runs: { edges: [{ node: { id: runId } }] },
        eventsV2: { edges: [{ node: { id: eventId } }] },
      });

      const { stream, events: all } = await gql(
        engine,
        "{ stream(query: { limit: 100, includeInternalEvents: false }) { id trigger runs { id function { name } } } events(query: {}) { id name payload } }",
      );
      expect(stream).toContainEqual({
        id: eventId,
        trigger: on("x"),
        runs: [{ id: runId, function: { name: "Adds" } }],
      });
      expect(all).toContainEqual({ id: eventId, name: on("x"), payload: '{"n":1}' });
    },
  },
  {
    id: "API-23b",
    title: "Apps and functions are listed, added, invoked and removed; runs are cancelled and run again",
    proves: ["API-23"],
    async run({ app, fn, on, trigger, engine, slug, appId, until, finished, ended }) {
      const served = await app([
        fn({ id: "sleeps", name: "Sleeps" }, on("x"), ({ step }) => step.sleep("long", "1h")),
        fn("echoes", on("never"), ({ event }) => event.data["n"]),
        fn("works", on("works"), ({ step }) => step.run("s", () => "done")),
      ]);
      const listed = await gql(
        engine,
        "{ apps { id externalID connected functionCount method error } functions { id slug name triggers { type value condition } config } }",
      );
      expect(listed["apps"]).toContainEqual({
        id: expect.any(String),
        externalID: appId,
        connected: true,
        functionCount: 3,
        method: "SERVE",
        error: null,
      });
      expect(listed["functions"]).toContainEqual({
        id: expect.any(String),
        slug: slug("sleeps"),
        name: "Sleeps",
        triggers: [{ type: "EVENT", value: on("x"), condition: null }],
        config: expect.stringContaining(slug("sleeps")),
      });
      const named = await gql(
        engine,
        'query Q($slug: String!) { functionBySlug(query: { functionSlug: $slug }) { name app { externalID } } none: functionBySlug(query: { functionSlug: "no" }) { name } }',
        { slug: slug("sleeps") },
      );
      expect(named).toEqual({ functionBySlug: { name: "Sleeps", app: { externalID: appId } }, none: null });

      const eventId = await trigger(on("x"));
      const runId = await until(async () => (await engine.runsOf(eventId))[0]?.run_id);
      const cancelled = await gql(engine, "mutation M($id: ULID!) { cancelRun(runID: $id) { id status } }", {
        id: runId,
      });
      expect(cancelled).toMatchObject({ cancelRun: { id: runId } });
      expect(await finished(eventId)).toMatchObject({ status: "Cancelled" });
      const twice = await ask(engine, "mutation M($id: ULID!) { cancelRun(runID: $id) { id } }", { id: runId });
      expect(twice).toMatchObject({ data: { cancelRun: null }, errors: [{ extensions: { code: "run_ended" } }] });

      expect(
        await gql(engine, "mutation M($fn: String!) { invokeFunction(functionSlug: $fn, data: { n: 7 }) }", {
          fn: slug("echoes"),
        }),
      ).toEqual({ invokeFunction: true });

      const works = await finished(await trigger(on("works")));
      const again = await gql(engine, 'mutation M($id: ULID!) { rerun(runID: $id, fromStep: { stepID: "s" }) }', {
        id: works.run_id,
      });
      const rerunId = z.object({ rerun: z.string() }).parse(again).rerun;
      await until(async () => (await engine.run(rerunId)).status === "Completed");
      expect(await ended(String(works.event_id), 2)).toHaveLength(2);

      const created = await gql(
        engine,
        "mutation M($url: String!) { createApp(input: { url: $url }) { id externalID functionCount } }",
        { url: served.url },
      );
      const { createApp } = z.object({ createApp: z.object({ id: z.string() }) }).parse(created);
      const updated = await gql(
        engine,
        "mutation M($id: String!, $url: String!) { updateApp(input: { id: $id, url: $url }) { id } }",
        { id: createApp.id, url: served.url },
      );
      expect(updated).toEqual({ updateApp: { id: createApp.id } });
      expect(await gql(engine, "mutation M($name: String!) { deleteAppByName(name: $name) }", { name: appId })).toEqual(
        { deleteAppByName: true },
      );
      const gone = await gql(engine, "{ apps { externalID } }");
      expect(gone["apps"]).not.toContainEqual({ externalID: appId });
    },
  },
  {
    id: "API-23c",
    title: "What does not exist is null, and what this engine has not is empty",
    proves: ["API-23"],
    sdks: ["v4"],
    async run({ engine }) {
      const data = await gql(
        engine,
        `{
        run(runID: "${OLD}") { id } no: run(runID: "no id") { id } runTrace(runID: "${OLD}") { name } runTrigger(runID: "${OLD}") { cron }
        functionRun(query: { functionRunId: "${OLD}" }) { id } event(query: { eventId: "${OLD}" }) { id } eventV2(id: "${OLD}") { id }
        runTraceSpanOutputByID(outputID: "${OLD}.run") { data } app(id: "00000000-0000-4000-8000-000000000000") { id }
        workerConnection(connectionId: "${OLD}") { id } workerConnections(first: 5) { edges { cursor } totalCount }
        debugRun(query: { runID: "${OLD}" }) { runTrace { name } } debugSession(query: { runID: "${OLD}" }) { debugRuns { runTrace { name } } }
      }`,
      );
      const { workerConnections, ...others } = data;
      expect(workerConnections).toEqual({ edges: [], totalCount: 0 });
      expect(Object.values(others).every((value) => value === null)).toBe(true);
      expect(await gql(engine, "mutation { createDebugSession(input: {}) { debugRunID } }")).toEqual({
        createDebugSession: null,
      });
      expect(await ask(engine, `mutation { cancelRun(runID: "${OLD}") { id } }`)).toMatchObject({
        errors: [{ extensions: { code: "run_not_found" } }],
      });
    },
  },
  {
    id: "API-23d",
    title: "Bombs of depth, aliases, fragments and bytes are refused with a reason, and broken requests too",
    proves: ["API-23", "SE-15"],
    sdks: ["v4"],
    async run({ engine, api }) {
      const refused = async (query: string) => {
        const { data, errors } = await ask(engine, query);
        expect(data).toBeUndefined();
        return errors?.map(({ message }) => message).join("\n") ?? "";
      };
      const deep = (levels: number) =>
        `{ runTrace(runID: "${OLD}") { ${"childrenSpans { ".repeat(levels)} name ${"} ".repeat(levels)} } }`;
      expect(await refused(deep(30))).toMatch(/nested 32 levels deep; the limit is 20/);
      expect(await refused(deep(3000))).toMatch(/3002 brackets deep; the limit is 128/);
      expect(await refused(`{ ${"a ".repeat(6000)} }`)).toMatch(/5000 tokens/);
      const aliases = Array.from({ length: 50 }, (_, i) => `a${i}: run(runID: "${OLD}") { id }`).join(" ");
      expect(await refused(`{ ${aliases} }`)).toMatch(/begins with \d+ fields; the limit is 20/);
      const fragments = Array.from(
        { length: 20 },
        (_, i) => `fragment F${i} on FunctionRunV2 { ...F${i + 1} ...F${i + 1} }`,
      ).join(" ");
      expect(
        await refused(`{ run(runID: "${OLD}") { ...F0 } } ${fragments} fragment F20 on FunctionRunV2 { id status }`),
      ).toMatch(/asks for \d+ fields/);
      expect(await refused("{ run(runID: 1, no: 2) { id } }")).toContain("no");
      expect(await refused("{ run(")).toMatch(/Syntax Error/);
      expect((await api("POST", "/v0/gql", "{")).status).toBe(400);
      expect((await api("POST", "/v0/gql", { query: 1 })).json).toMatchObject({ code: "invalid_request" });
      expect((await api("POST", "/v0/gql", { query: `{ a }${" ".repeat(3_000_000)}` })).status).toBe(413);
      const introspection = await gql(
        engine,
        "{ __schema { queryType { fields { name } } mutationType { fields { name } } } }",
      );
      const text = JSON.stringify(introspection);
      for (const name of ["runTraceSpanOutputByID", "workerConnections", "createDebugSession"])
        expect(text).toContain(name);
    },
  },
];

async function functionId(engine: Parameters<typeof gql>[0], slug: string): Promise<string> {
  const data = await gql(engine, "query Q($slug: String!) { functionBySlug(query: { functionSlug: $slug }) { id } }", {
    slug,
  });
  return z.object({ functionBySlug: z.object({ id: z.string() }) }).parse(data).functionBySlug.id;
}

conformance("GraphQL", queries);

const guarded: readonly Case[] = [
  {
    id: "API-2",
    title: "In cloud mode GraphQL and spans need the signing key, and the schema is not told",
    proves: ["API-2", "API-23", "API-34", "SE-21"],
    sdks: ["v4"],
    async run({ engine, api }) {
      const nobody = { authorization: "" };
      expect((await api("POST", "/v0/gql", { query: "{ functions { id } }" }, nobody)).status).toBe(401);
      expect((await api("POST", "/v1/traces/userland", {}, nobody)).status).toBe(401);
      expect((await api("POST", "/v1/traces/userland", {})).status).toBe(200);
      expect((await api("POST", "/dev/traces", {})).status).toBe(404);
      expect(await gql(engine, "{ functions { id } }")).toEqual({ functions: [] });
      expect(await ask(engine, "{ __schema { queryType { name } } }")).toMatchObject({
        errors: [{ message: expect.stringContaining("introspection") }, {}],
      });
    },
  },
];

conformance("GraphQL in cloud mode", guarded, {
  bindings: {
    MILLRACE_MODE: "cloud",
    INNGEST_SIGNING_KEY: `signkey-prod-${"ab".repeat(16)}`,
    INNGEST_EVENT_KEY: "event-key",
  },
});
