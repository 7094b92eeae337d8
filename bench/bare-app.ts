/**
 * An app that speaks the protocol without an SDK: it answers each call with the operation that the number of finished steps calls for.
 * Beside the floor's app it is the fair measure of the engine alone, because the official SDK costs more per call than either engine.
 */
import type { Shape } from "./app.ts";
import { listenWith } from "./app.ts";
import type { Ledger } from "./ledger.ts";

/** Functions of the bare app: `bench/<name>-bare` starts the one of that name. */
export type BareShape = Exclude<Shape, "parallel">;

const STEPS: Readonly<Record<BareShape, readonly string[]>> = { none: [], sequence: ["a", "b", "c"] };
const HEADERS = {
  "content-type": "application/json",
  "x-inngest-sdk": "bench:v0",
  "x-inngest-sdk-handled": "true",
  "x-inngest-req-version": "2",
};

/** Serves the app and registers it with the engine. */
export async function serveBareApp(engineUrl: string, ledger: Ledger): Promise<{ close(): Promise<void> }> {
  const { origin, close } = await listenWith((request, response) => {
    ledger.arrived();
    response.once("finish", () => ledger.replied());
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.once("end", () => {
      const { event, ctx } = JSON.parse(body);
      const steps = STEPS[request.url?.includes("sequence") === true ? "sequence" : "none"];
      const next = steps[ctx.stack.stack.length];
      if (next === undefined) {
        response.writeHead(200, HEADERS).end("null");
        return ledger.finished(event.data.run);
      }
      const op = { id: next, op: "StepRun", name: next, displayName: next, opts: {}, userland: { id: next }, data: 1 };
      return response.writeHead(206, HEADERS).end(JSON.stringify([op]));
    });
  });
  const functions = Object.keys(STEPS).map((name) => ({
    id: `bare-${name}`,
    name,
    triggers: [{ event: `bench/${name}-bare` }],
    steps: {
      step: { id: "step", name: "step", runtime: { type: "http", url: `${origin}/?fnId=bare-${name}&stepId=step` } },
    },
  }));
  const registered = await fetch(`${engineUrl}/fn/register`, {
    method: "POST",
    body: JSON.stringify({
      url: origin,
      appName: "bare",
      sdk: "bench:v0",
      framework: "none",
      v: "0.1",
      deployType: "ping",
      functions,
    }),
  });
  if (!registered.ok) throw new Error(`the engine did not register the bare app: ${await registered.text()}`);
  return { close };
}
