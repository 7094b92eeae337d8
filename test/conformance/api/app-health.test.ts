/**
 * "Check app health" against apps of the official SDKs in cloud mode: one that is well, and one for each thing that can be wrong (AP-26).
 */
import { createServer, type RequestListener } from "node:http";
import { expect } from "vitest";
import * as z from "zod";
import { type Case, conformance } from "../harness/cases.ts";
import { listen } from "../harness/listen.ts";
import type { Scenario } from "../harness/scenario.ts";

const KEY = "signkey-test-00112233445566778899aabbccddeeff";
const WRONG_KEY = "signkey-test-0123456789abcdef0123456789abcdef";

const answer = z.object({
  data: z.object({
    healthy: z.boolean(),
    checks: z.array(
      z.object({ check: z.string(), result: z.string(), detail: z.string(), advice: z.string().nullable() }),
    ),
  }),
});

async function healthOf({ api, appId }: Scenario) {
  const { healthy, checks } = answer.parse((await api("GET", `/v1/apps/${appId}/health`)).json).data;
  const failed = checks.filter(({ result }) => result === "failed");
  expect(failed.every(({ advice }) => advice !== null && advice !== "")).toBe(true);
  expect(healthy).toBe(failed.length === 0);
  return {
    checks,
    failed: failed.map(({ check }) => check),
    of: (name: string) => checks.find((one) => one.check === name),
  };
}

const cases: readonly Case[] = [
  {
    id: "AP-26",
    title: "What is wrong with an app is named, with advice",
    proves: ["AP-26"],
    async run(scenario) {
      const { app, fn, on, newClient } = scenario;
      const one = fn("one", on("one"), () => null);
      const served = await app([one]);
      const well = await healthOf(scenario);
      expect(well.failed).toEqual([]);
      expect(well.of("signing_key")).toMatchObject({ result: "ok" });
      expect(well.of("function_count")).toMatchObject({ result: "ok" });
      expect(well.checks.map(({ check }) => check)).toEqual([
        "reachable",
        "http_status",
        "sdk",
        "mode",
        "signing_key",
        "event_key",
        "function_count",
        "clock_skew",
        "body_size",
        "url",
      ]);

      served.redeploy([one, fn("two", on("two"), () => null)]);
      const grown = await healthOf(scenario);
      expect(grown.failed).toEqual(["function_count"]);
      expect(grown.of("function_count")).toMatchObject({
        detail: "The app serves 2 functions, and 1 are synced.",
        advice: "Sync the app.",
      });

      const stranger = newClient({ signingKey: WRONG_KEY });
      served.redeploy([fn("one", on("one"), () => null, stranger)], stranger);
      const rejected = await healthOf(scenario);
      expect(rejected.failed).toContain("signing_key");
      expect(rejected.of("signing_key")?.detail).toContain("rejects the engine's signature");

      await served.stop();
      const gone = await healthOf(scenario);
      expect(gone.failed).toEqual(["reachable"]);
      expect(gone.of("sdk")?.result).toBe("unknown");
    },
  },
  {
    id: "AP-26b",
    title: "Something else at the app's URL, which takes small bodies only",
    proves: ["AP-26"],
    sdks: ["v4"],
    async run(scenario) {
      const { app, fn, on } = scenario;
      const served = await app([fn("one", on("one"), () => null)]);
      await served.stop();
      const small: RequestListener = (request, response) => {
        response.statusCode = request.method === "POST" ? 413 : 200;
        request.resume().on("end", () => response.setHeader("date", "Sat, 01 Jan 2000 00:00:00 GMT").end("hello"));
      };
      const other = await listen(createServer(small), served.port);
      try {
        expect((await healthOf(scenario)).failed).toEqual(["sdk", "clock_skew", "body_size"]);
      } finally {
        await other.close();
      }
    },
  },
];

conformance("app health", cases, {
  bindings: {
    MILLRACE_MODE: "cloud",
    INNGEST_SIGNING_KEY: KEY,
    INNGEST_EVENT_KEY: "the-event-key",
    MILLRACE_ALLOW_PRIVATE_APPS: "1",
  },
});
