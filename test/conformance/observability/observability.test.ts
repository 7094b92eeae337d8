/**
 * What can be seen of events and runs through the official SDKs: metrics, questions in SQL, and searches.
 */
import { expect } from "vitest";
import * as z from "zod";
import { type Case, conformance } from "../harness/cases.ts";

const answerSchema = z.object({ data: z.object({ rows: z.array(z.array(z.union([z.string(), z.number()]))) }) });
const refusalSchema = z.object({ status: z.literal(400), error: z.string() });
const listSchema = z.object({
  data: z.array(z.looseObject({ status: z.string(), event_name: z.string().optional() })),
  metadata: z.object({ next_cursor: z.string().nullable(), searched_until: z.string().nullable().optional() }),
});
const deletionSchema = z.object({ data: z.looseObject({ id: z.string(), status: z.string() }) });
const figuresSchema = z.object({
  data: z.array(z.object({ function_slug: z.string(), scheduled: z.number(), failure_rate: z.number().nullable() })),
});

const cases: readonly Case[] = [
  {
    id: "SC-145",
    title: "Fifty runs of which five fail are these figures in a scrape, and those of the function",
    proves: ["API-28", "API-29", "OB-16"],
    async run({ app, fn, on, send, ended, slug, engine, api, until }) {
      const metric = fn({ id: "metric", retries: 0 }, on("x"), async ({ event, step }) =>
        step.run("s", () => {
          if (event.data["bad"] === true) throw new Error("x");
          return "fine";
        }),
      );
      await app([metric]);
      const ids = await send(Array.from({ length: 50 }, (_, i) => ({ name: on("x"), data: { bad: i < 5 } })));
      for (const id of ids) await ended(id);
      const date = new Date().toISOString().slice(0, 10);
      const sample = (name: string, status?: string) =>
        `${name}{date="${date}",fn="${slug("metric")}"${status === undefined ? "" : `,status="${status}"`}}`;
      let text = "";
      await until(async () => {
        // Each scrape has a key of its own, because a key has thirty of them in a minute.
        const headers = { authorization: `Bearer ${crypto.randomUUID()}` };
        text = await (await fetch(`${engine.url}/v1/prom/production`, { headers })).text();
        return text.includes(`${sample("inngest_function_run_ended_total", "Completed")} 45\n`);
      });
      expect(text).toContain(`${sample("inngest_function_run_ended_total", "Failed")} 5\n`);
      expect(text).toContain(`${sample("inngest_function_run_scheduled_total")} 50\n`);
      expect(text).toContain(`${sample("inngest_function_run_started_total")} 50\n`);
      // Each run was called for its step, and 45 of them once more.
      expect(text).toContain(`${sample("inngest_sdk_req_ended_total", "success")} 90\n`);
      expect(text).toMatch(
        /# HELP inngest_function_run_ended_total .+\n# TYPE inngest_function_run_ended_total counter\n/,
      );
      const { data } = figuresSchema.parse((await api("GET", "/v1/metrics/functions")).json);
      expect(data.find(({ function_slug }) => function_slug === slug("metric"))).toMatchObject({
        scheduled: 50,
        failure_rate: 0.1,
      });
    },
  },
  {
    id: "SC-146",
    title: "Events are counted by a field of theirs; WITH and DELETE are refused by name",
    proves: ["OB-20", "OB-21", "API-35"],
    async run({ on, send, api, until }) {
      await send(
        Array.from({ length: 12 }, (_, i) => ({
          name: on("order.created"),
          data: { user_id: i % 3 === 0 ? "u1" : "u2" },
        })),
      );
      const ask = async (sql: string) => (await api("POST", "/v1/insights/query", { sql })).json;
      const sql = `SELECT simpleJSONExtractString(data, 'user_id') AS user_id, count(*) FROM events WHERE name = '${on("order.created")}' GROUP BY user_id ORDER BY count(*) DESC LIMIT 10`;
      const expected = JSON.stringify([
        ["u2", 8],
        ["u1", 4],
      ]);
      await until(async () => JSON.stringify(answerSchema.parse(await ask(sql)).data.rows) === expected);
      for (const [question, word] of [
        ["WITH x AS (SELECT 1) SELECT * FROM x", "WITH"],
        ["DELETE FROM events", "DELETE"],
      ] as const) {
        expect(refusalSchema.parse(await ask(question)).error).toContain(`${word} is not supported`);
      }
    },
  },
  {
    id: "OB-4",
    title: "A failed run is found by its event and the name of its error, together",
    proves: ["OB-2", "OB-4", "API-10"],
    // Version 3 tells the engine of its own errors that their name is "Error".
    sdks: ["v4"],
    async run({ app, fn, on, trigger, finished, api, until }) {
      class UserNotFoundError extends Error {
        override readonly name = "UserNotFoundError";
      }
      await app([
        fn({ id: "lookup", retries: 0 }, on("x"), async ({ event }) => {
          if (event.data["userId"] === "12345") throw new UserNotFoundError("Failed to import data");
          return { found: true };
        }),
      ]);
      await finished(await trigger(on("x"), { userId: "12345" }));
      await finished(await trigger(on("x"), { userId: "7" }));
      const search = async (q: string) =>
        listSchema.parse((await api("GET", `/v1/runs?q=${encodeURIComponent(q)}`)).json);
      const mine = `event.name == "${on("x")}"`;
      // History follows the runs by a second or two.
      const isEnded = ({ status }: { status: string }) => status === "Failed" || status === "Completed";
      await until(async () => (await search(mine)).data.filter(isEnded).length === 2);
      const failed = await search(`${mine}\nevent.data.userId == "12345" && output.name == "UserNotFoundError"`);
      expect(failed).toMatchObject({
        data: [{ status: "Failed" }],
        metadata: { next_cursor: null, searched_until: null },
      });
      expect((await search(`${mine}\noutput.found == true`)).data).toMatchObject([{ status: "Completed" }]);
      expect((await search(`${mine}\noutput.name == "Other"`)).data).toEqual([]);
    },
  },
  {
    id: "OB-25",
    title: "Everything of one user is deleted by external id; another user's stays",
    proves: ["OB-25"],
    sdks: ["v4"],
    async run({ app, fn, on, send, ended, api, until, variant }) {
      const [mine, theirs] = [`user-of-${on(variant)}`, `other-of-${on(variant)}`];
      await app([
        fn("greets", on("x"), async ({ event, step }) =>
          step.run("greet", () => `hello ${String(event.data["user"])}`),
        ),
      ]);
      const ids = await send(
        [mine, theirs].map((user) => ({ name: on("x"), data: { user }, user: { external_id: user } })),
      );
      for (const id of ids) await ended(id);
      const begun = await api("POST", "/v1/deletions", { external_id: mine, cancel: true });
      const { id } = deletionSchema.parse(begun.json).data;
      const done = await until(async () => {
        const { data } = deletionSchema.parse((await api("GET", `/v1/deletions/${id}`)).json);
        return data.status === "running" ? null : data;
      });
      expect(done).toMatchObject({ status: "completed", count: 1, kept: 0, failed: 0 });
      const sql = `SELECT data FROM events WHERE name = '${on("x")}'`;
      const shown = await Promise.all([
        api("GET", `/v1/events?limit=100&names=${encodeURIComponent(`${on("x")},inngest/function.finished`)}`),
        api("GET", "/v1/runs?limit=100"),
        api("GET", `/v1/deletions/${id}`),
        api("POST", "/v1/insights/query", { sql }),
      ]);
      for (const { text } of shown) expect(text).not.toContain(mine);
      expect((await api("GET", `/v1/events/${ids[0]}`)).status).toBe(404);
      const [kept] = listSchema.parse((await api("GET", `/v1/events/${ids[1]}/runs`)).json).data;
      expect(kept).toMatchObject({ status: "Completed", output: `hello ${theirs}` });
    },
  },
];

conformance("observability", cases);
