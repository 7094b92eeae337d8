/**
 * How long a trace of 1,000 steps takes to open (OB-11): drawn from its log alone, and over HTTP from a running engine, as REST and as GraphQL.
 * Run: npx node bench/traces.ts. The target is 150 ms of the engine; figures are medians and depend on the machine.
 */
import { buildWorker, startEngine } from "../cli/engine.ts";
import type { Change, Decision } from "../src/decide/run/change.ts";
import { foldLog } from "../src/traces/fold.ts";
import { drawTrace, keepsForTrace } from "../src/traces/trace.ts";
import { listenWith } from "./app.ts";
import { stateDir } from "./state.ts";

const STEPS = 1000;
const ROUNDS = 11;
const RESULT = { id: 1, text: "x".repeat(200) };

function median(times: readonly number[]): string {
  return `${(times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0).toFixed(1)} ms`;
}

/** The log of a run of so many steps, as text: one row for each. */
function logText(): string[] {
  const event = { name: "a/b", data: {}, id: "e", ts: 0, user: {} };
  const accepted = { internalId: "e", receivedAt: 0, source: "", deduplicationId: null, payload: event };
  const created: Change = {
    is: "created",
    bytes: 0,
    identity: {
      environmentId: "env",
      runId: "01JD00000000000000000000RN",
      app: { id: "app", name: "app" },
      function: { id: "fn", slug: "fn", name: "fn", version: 1 },
      retries: 4,
      events: [{ event: accepted, outcomes: [], duplicate: false }],
      queuedAt: 0,
      startAt: 0,
      depth: 0,
      parent: null,
      originalRunId: null,
    },
  };
  const steps = Array.from({ length: STEPS }, (_, i): Decision => {
    const step = { id: `${i}`.padStart(40, "0"), label: { name: `step ${i}`, type: null }, group: i + 1, race: false };
    return {
      at: i,
      changes: [
        { is: "called", job: i + 1, began: i, status: 206, sent: 1000, received: 400 },
        { is: "finished", ...step, at: i, memo: { data: RESULT }, bytes: 230 },
        { is: "done", job: i + 1 },
        { is: "queued", stepId: null, due: i },
      ],
    };
  });
  const begun: Change[] = [created, { is: "queued", stepId: null, due: 0 }, { is: "begun", at: 0 }];
  return [{ at: 0, changes: begun }, ...steps].map((decision) => JSON.stringify(decision));
}

const rows = logText();
const drawn = Array.from({ length: ROUNDS }, () => {
  const start = performance.now();
  const record = foldLog(
    rows.map((row) => JSON.parse(row) as Decision),
    keepsForTrace(),
  );
  if (record === null) throw new Error("the log is empty");
  drawTrace(record, { inFlight: new Map(), userland: { spans: [], dropped: 0 }, outputs: true });
  return performance.now() - start;
});
console.log(`drawn from its log      ${median(drawn)}`);

/** Steps that one call reports; the log has a row for each call. */
const PER_CALL = 4;
const engine = await startEngine({
  port: 0,
  persistDir: await stateDir(true),
  bundleDir: await buildWorker(),
  quiet: true,
  bindings: { MILLRACE_MODE: "dev" },
});
const headers = {
  "content-type": "application/json",
  "x-inngest-sdk": "bench:v0",
  "x-inngest-sdk-handled": "true",
  "x-inngest-req-version": "2",
};
const app = await listenWith((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (text: string) => {
    body += text;
  });
  request.once("end", () => {
    const { ctx } = JSON.parse(body);
    const done = ctx.stack.stack.length;
    if (done >= STEPS) return response.writeHead(200, headers).end("null");
    const ops = Array.from({ length: PER_CALL }, (_, i) => {
      const name = `step-${done + i}`;
      return { id: name, op: "StepRun", name, displayName: name, opts: {}, data: RESULT };
    });
    return response.writeHead(206, headers).end(JSON.stringify(ops));
  });
});

async function request(path: string, body?: object) {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers };
  const response = await fetch(`${engine.url}${path}`, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return { json: JSON.parse(text), bytes: text.length };
}

const runtime = { type: "http", url: `${app.origin}/?fnId=long&stepId=step` };
const steps = { step: { id: "step", name: "step", runtime } };
const functions = [{ id: "long", name: "long", triggers: [{ event: "bench/long" }], steps }];
const registration = {
  url: app.origin,
  appName: "long",
  sdk: "bench:v0",
  framework: "none",
  v: "0.1",
  deployType: "ping",
};
await request("/fn/register", { ...registration, functions });
const { json } = await request("/e/bench", { name: "bench/long", data: {} });
let runId: string | undefined;
for (let status = ""; status !== "Completed"; await new Promise((next) => setTimeout(next, 200))) {
  const [run] = (await request(`/v1/events/${json.ids[0]}/runs`)).json.data;
  status = run?.status ?? "";
  runId = run?.run_id;
  if (status === "Failed") throw new Error(JSON.stringify(run.output));
}

async function opened(what: string, ask: () => Promise<{ readonly bytes: number }>): Promise<void> {
  const times: number[] = [];
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    bytes = (await ask()).bytes;
    times.push(performance.now() - start);
  }
  console.log(`${what.padEnd(24)}${median(times)}   ${(bytes / 1000).toFixed(0)} kB`);
}

const SPAN = "name status attempts outputID startedAt endedAt duration stepOp stepType stepID";
const query = `{ run(runID: "${runId}") { trace { ${SPAN} childrenSpans { ${SPAN} childrenSpans { ${SPAN} } } } } }`;
await opened("REST, with outputs", () => request(`/v1/runs/${runId}/trace`));
await opened("GraphQL", () => request("/v0/gql", { query }));
await Promise.all([app.close(), engine.stop()]);
process.exit(0);
