/**
 * Spans that an app sends, by its SDK's own middleware (OB-14, API-34): an HTTP request inside a step becomes a span below that step.
 * Each SDK sets up tracing for its whole process, so that each has a test file of its own.
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import type { Variant } from "../harness/scenario.ts";
import { withEcho } from "../steps/echo.ts";
import { child, traceOf } from "./gql.ts";

const attributes = z.record(z.string(), z.unknown());

/** The scenarios, for clients with this middleware. */
export function spansOfApps(middleware: unknown, sdks: readonly Variant[]): readonly Case[] {
  return [
    {
      id: "SC-157",
      title: "Spans of the app appear below the step in which they happened",
      proves: ["OB-14", "OB-7", "OB-13", "API-34"],
      sdks,
      async run({ app, fn, on, trigger, finished, engine, newClient, until }) {
        const client = newClient({ middleware: [middleware] });
        const traced = fn<{ url: string }>(
          "http",
          on("x"),
          async ({ event, step }) => {
            await step.run("before", () => 1);
            return step.run("call", async () => (await fetch(`${event.data.url}/a?api_key=sk-canary-otel`)).status);
          },
          client,
        );
        const served = await app([traced], { client });
        await withEcho(
          () => ({}),
          async ({ origin }) => {
            const run = await finished(await trigger(on("x"), { url: origin }));
            expect(run).toMatchObject({ status: "Completed", output: 200 });
            const call = await until(async () => {
              const span = child((await traceOf(engine, run.run_id)).trace, "call");
              return span.childrenSpans.some(({ isUserland }) => isUserland) ? span : null;
            }, 30_000);
            const http = call.childrenSpans.find(
              ({ userlandSpan }) => userlandSpan?.spanAttrs.includes("/a?") === true,
            );
            const known = attributes.parse(JSON.parse(http?.userlandSpan?.spanAttrs ?? "{}"));
            expect(Object.values(known)).toContain("GET");
            expect(JSON.stringify(known)).toContain(`${origin}/a`);
            expect(JSON.stringify(known)).not.toContain("sk-canary-otel");
            expect(http).toMatchObject({ isUserland: true, userlandSpan: { spanKind: "CLIENT" } });
            expect(child((await traceOf(engine, run.run_id)).trace, "before").childrenSpans).toEqual([]);
            const [first] = served.received().filter(({ url }) => url.includes("fnId="));
            expect(first?.headers).toMatchObject({
              traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
              tracestate: expect.stringMatching(/inngest@app=[0-9a-f-]+,inngest@fn=[0-9a-f-]+$/),
            });
          },
        );
      },
    },
  ];
}
