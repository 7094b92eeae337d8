/**
 * Runs that began in the app's own HTTP handler, run again (CR-21, CR-26): the engine enters the handler with the same request.
 */
import { step } from "inngest";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { type EndpointApp, serveEndpoints } from "../endpoint/serve.ts";
import { hasEnded, type RunJson, startTestEngine, type TestEngine } from "../harness/engine.ts";

let engine: TestEngine;
let app: EndpointApp;

beforeAll(async () => {
  engine = await startTestEngine({ bindings: { MILLRACE_ENDPOINT_LEASE: "2s" } });
  app = await serveEndpoints(engine);
});
afterAll(async () => {
  await app?.stop();
  await engine?.stop();
});

const firstSchema = z.object({ run_id: z.string() });
const rerunSchema = z.object({ data: z.looseObject({ run_id: z.string() }) });

function ended(runId: string): Promise<RunJson> {
  return engine.until(async () => {
    const run = await engine.run(runId);
    return hasEnded(run) ? run : null;
  });
}

it("CR-26: a durable endpoint is rerun, from its beginning and from a step, edited too", {
  timeout: 60_000,
}, async () => {
  const ran: string[] = [];
  app.on("/sum", async (request) => {
    const one = await step.run("one", () => ran.push("one"));
    const word = await step.run(
      "word",
      (text: string) => text.toUpperCase(),
      new URL(request.url).searchParams.get("word") ?? "",
    );
    ran.push(`entered ${word}`);
    return new Response(`${one} ${word}`);
  });
  const response = await fetch(`${app.origin}/sum?word=abc`);
  expect(await response.text()).toBe("1 ABC");
  const original = firstSchema.parse(JSON.parse(app.checkpoints[0]?.body ?? "null")).run_id;
  expect(await ended(original)).toMatchObject({ status: "Completed" });

  const rerun = async (body: object) => {
    const { status, text, json } = await engine.api("POST", `/v1/runs/${original}/rerun`, body);
    if (status !== 200) throw new Error(`The rerun was refused: ${status} ${text}`);
    const run = await ended(rerunSchema.parse(json).data.run_id);
    expect(run).toMatchObject({ status: "Completed", original_run_id: original });
    return ran.splice(0);
  };
  expect(ran.splice(0)).toEqual(["one", "entered ABC"]);
  expect(await rerun({})).toEqual(["one", "entered ABC"]);
  expect(await rerun({ from_step: "word" })).toEqual(["entered ABC"]);
  expect(await rerun({ from_step: "word", input: ["xyz"] })).toEqual(["entered XYZ"]);
});
