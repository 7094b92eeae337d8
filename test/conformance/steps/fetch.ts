/**
 * Requests the engine makes for `step.fetch` and the SDK's `fetch` (EX-57, EX-58, SE-13).
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import { withEcho } from "./echo.ts";
import { MODES, took } from "./modes.ts";

/** The scenarios. */
export const fetches: readonly Case[] = [
  {
    id: "SC-92",
    title: "step.fetch",
    proves: ["EX-57"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished, pause }) {
      const openMeanwhile: number[] = [];
      const served = await app([
        fn<{ url: string }>("fetcher", on("x"), async ({ event, step }) => {
          const { url } = event.data;
          const [a, b, c] = await Promise.all([
            step.fetch(`${url}/a`),
            step.fetch(`${url}/b`, { method: "POST", body: "x" }),
            step.fetch(`${url}/404`),
          ]);
          return [await a.text(), b.status, c.status];
        }),
      ]);
      const answering = async ({ url }: { readonly url: URL }) => {
        await pause(500);
        openMeanwhile.push(served.open());
        await pause(500);
        return { status: url.pathname === "/404" ? 404 : 200 };
      };
      await withEcho(answering, async ({ origin, asked }) => {
        const sent = Date.now();
        const run = await finished(await trigger(on("x"), { url: origin }));
        expect(run).toMatchObject({ status: "Completed", output: ["a", 200, 404] });
        expect(openMeanwhile).toEqual([0, 0, 0]);
        // In a row they would take three seconds.
        expect(took(run, sent)).toBeLessThan(2900);
        expect(asked.map(({ method, url, body }) => `${method} ${url.pathname} ${body}`).sort()).toEqual([
          "GET /404 ",
          "GET /a ",
          "POST /b x",
        ]);
      });
    },
  },
  {
    id: "EX-57",
    title: "Method, headers, body and status arrive on both sides",
    proves: ["EX-57"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished }) {
      await app([
        fn<{ url: string }>("full", on("x"), async ({ event, step }) => {
          const put = await step.fetch(`${event.data.url}/put?q=ü`, {
            method: "PUT",
            headers: { "x-a": "b", "content-type": "application/json" },
            body: JSON.stringify({ z: 1, text: "ü😀" }),
          });
          const empty = await step.fetch(`${event.data.url}/empty`, { method: "DELETE" });
          const moved = await step.fetch(`${event.data.url}/moved`);
          return {
            put: [put.status, put.headers.get("x-c"), put.headers.get("x-list"), await put.json()],
            empty: [empty.status, await empty.text()],
            moved: [moved.status, await moved.text()],
          };
        }),
      ]);
      const answers: Readonly<Record<string, object>> = {
        "/put": { status: 201, headers: { "x-c": "d", "x-list": ["1", "2"] }, json: { got: "ü😀" } },
        "/empty": { status: 204, body: "" },
        "/moved": { status: 302, headers: { location: "/there" } },
      };
      await withEcho(
        ({ url }) => answers[url.pathname] ?? {},
        async ({ origin, at }) => {
          const run = await finished(await trigger(on("x"), { url: origin }));
          expect(run).toMatchObject({
            output: {
              put: [201, "d", expect.stringMatching(/^1, ?2$/), { got: "ü😀" }],
              empty: [204, ""],
              moved: [200, "there"],
            },
          });
          expect(at("/put")).toMatchObject([
            {
              method: "PUT",
              headers: { "x-a": "b", "content-type": "application/json" },
              body: '{"z":1,"text":"ü😀"}',
            },
          ]);
          expect(at("/put")[0]?.url.searchParams.get("q")).toBe("ü");
          expect(Object.keys(at("/put")[0]?.headers ?? {}).filter((name) => name.includes("inngest"))).toEqual([]);
        },
      );
    },
  },
  {
    id: "EX-57b",
    title: "Transport failures are retried, then fail the step",
    proves: ["EX-57", "EX-20", "EX-26"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished }) {
      await app([
        fn<{ url: string }>({ id: "flaky", retries: 2 }, on("x"), async ({ event, step, attempt }) => {
          const flaky = await step.fetch(`${event.data.url}/flaky`);
          const failed = await step.fetch(`${event.data.url}/broken`).then(
            () => "no error",
            (error: Error) => error.message,
          );
          return [flaky.status, failed, attempt];
        }),
      ]);
      await withEcho(
        ({ url }, n) => (url.pathname === "/broken" || n < 3 ? { cut: true } : {}),
        async ({ origin, at }) => {
          const run = await finished(await trigger(on("x"), { url: origin }));
          expect(run).toMatchObject({
            status: "Completed",
            output: [200, expect.stringMatching(/Error making gateway request: unreachable/), 0],
          });
          expect(at("/flaky")).toHaveLength(3);
          expect(at("/broken")).toHaveLength(3);
        },
      );
    },
  },
  {
    id: "EX-57c",
    title: "A reply that is too large or never ends is cut off",
    proves: ["EX-57"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished }) {
      await app([
        fn<{ url: string }>("large", on("x"), async ({ event, step }) => {
          const outcome = (path: string) =>
            step.fetch(`${event.data.url}/${path}`).then(
              async (response) => (await response.text()).length,
              (error: Error) => error.message,
            );
          return [await outcome("fits"), await outcome("large"), await outcome("endless")];
        }),
      ]);
      const mib = 1024 * 1024;
      const large = z.string().regex(/reply_too_large|output_too_large/);
      await withEcho(
        ({ url }) => {
          if (url.pathname === "/endless") return { endless: true };
          return { body: "x".repeat(url.pathname === "/fits" ? 3 * mib : 4 * mib + 1) };
        },
        async ({ origin, at }) => {
          const run = await finished(await trigger(on("x"), { url: origin }));
          expect(run.status).toBe("Completed");
          z.tuple([z.literal(3 * mib), large, large]).parse(run.output);
          expect(at("/endless")).toHaveLength(1);
        },
      );
    },
  },
  {
    id: "EX-57d",
    title: "Requests that cannot be made fail their step once, and the run goes on",
    proves: ["EX-57", "EX-26"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished }) {
      await app([
        fn({ id: "bad", retries: 3 }, on("x"), async ({ step }) => {
          const outcomes = [];
          for (const url of ["ftp://127.0.0.1/file", "http://user:secret@127.0.0.1/", "http://127.0.0.1:1/"]) {
            const refused = await step.fetch(url).catch((error: Error) => error.message);
            outcomes.push(refused);
            if (outcomes.length === 2) break;
          }
          return outcomes;
        }),
      ]);
      const sent = Date.now();
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: [expect.any(String), expect.any(String)] });
      expect(JSON.stringify(run.output)).not.toContain("secret");
      // Retries are a second apart.
      expect(took(run, sent)).toBeLessThan(3000);
    },
  },
  {
    id: "SC-93",
    title: "The fetch utility",
    proves: ["EX-58"],
    sdks: MODES,
    async run({ app, fn, on, sdk, trigger, finished, api }) {
      const durable = sdk.fetch;
      await app([
        fn<{ url: string }>("util", on("x"), async ({ event, step }) => {
          const within = await step.run("ordinary", async () => (await durable(`${event.data.url}/within`)).text());
          return [within, await (await durable(`${event.data.url}/inside`)).text()];
        }),
      ]);
      await withEcho(
        () => ({}),
        async ({ origin, at }) => {
          const outside = await durable(`${origin}/outside`);
          expect(await outside.text()).toBe("outside");
          const run = await finished(await trigger(on("x"), { url: origin }));
          expect(run).toMatchObject({ status: "Completed", output: ["within", "inside"] });
          const agent = (path: string) => at(path)[0]?.headers["user-agent"];
          expect(agent("/outside")).toBe("node");
          expect(agent("/within")).toBe("node");
          expect(agent("/inside")).not.toBe("node");
          const { json } = await api("GET", `/v0/runs/${run.run_id}/actions`);
          const memos = Object.values(z.record(z.string(), z.unknown()).parse(json));
          expect(memos).toContainEqual({ data: expect.objectContaining({ status_code: 200, body: "inside" }) });
          expect(memos).toHaveLength(2);
          for (const path of ["/outside", "/within", "/inside"]) expect(at(path), path).toHaveLength(1);
        },
      );
    },
  },
];

/** On an engine that may not reach private addresses. */
export const refusedFetches: readonly Case[] = [
  {
    id: "SE-13",
    title: "Private addresses are refused, for fetch and for inference, without a retry",
    proves: ["SE-13", "EX-57", "EX-59"],
    sdks: MODES,
    async run({ app, fn, on, trigger, finished }) {
      const targets = ["http://169.254.169.254/", "http://localhost:1/", "http://[::1]/", "http://10.0.0.1/"];
      await app([
        fn<{ url: string }>({ id: "ssrf", retries: 3 }, on("x"), async ({ event, step }) => {
          const outcomes = await Promise.allSettled([
            ...[event.data.url, ...targets].map((url) => step.fetch(url)),
            step.ai.infer("ai", {
              model: step.ai.models.openai({ model: "m", apiKey: "k", baseUrl: event.data.url }),
              body: { messages: [] },
            }),
          ]);
          return outcomes.map((one) => (one.status === "rejected" ? one.reason.message : "reached"));
        }),
      ]);
      await withEcho(
        () => ({}),
        async ({ origin, asked }) => {
          const sent = Date.now();
          const run = await finished(await trigger(on("x"), { url: origin }));
          expect(run.status).toBe("Completed");
          const outcomes = z.array(z.string()).parse(run.output);
          expect(outcomes).toHaveLength(6);
          for (const outcome of outcomes) expect(outcome).toContain("private_address");
          expect(took(run, sent)).toBeLessThan(3000);
          expect(asked).toEqual([]);
        },
      );
    },
  },
];
