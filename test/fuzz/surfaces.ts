/**
 * The surfaces of the engine with requests that they take: the starting points of hostile ones (SE-15). One list per kind of state that an
 * accepted request may leave.
 */
import type { Surface } from "./requests.ts";

/** A run that exists in tests which say so, and one that never does. */
export const KNOWN_RUN = "01JD2QV6Z9M4N8R3T5W7X1Y2A4";
const STRANGE_RUN = "01JD2QV6Z9M4N8R3T5W7X1Y2A5";
const RUNS = { id: [KNOWN_RUN, STRANGE_RUN] };

const EVENT = {
  name: "fuzz/nobody",
  data: { a: [1, { b: "ü" }], n: null },
  id: "order-1",
  ts: 1_790_000_000_000,
  user: { external_id: "7" },
  v: "2026-11-21.1",
  meta: { sessions: { chat: "c1" }, propagated_sessions: { user: 7 } },
};

/** The Event API. */
export const INGEST: readonly Surface[] = [
  {
    method: "POST",
    path: "/e/{key}",
    parts: { key: ["test"] },
    bodies: [JSON.stringify(EVENT), JSON.stringify([EVENT, { name: "fuzz/nobody" }])],
  },
];

const EVERY_OPTION = {
  id: "fuzz-all",
  name: "All options",
  triggers: [
    { event: "fuzz/a", expression: "event.data.x > 1" },
    { event: "fuzz/b/*" },
    { cron: "TZ=Europe/Paris 0 0 1 1 *", jitter: "30s" },
  ],
  steps: {
    step: {
      id: "step",
      name: "step",
      runtime: { type: "http", url: "http://app.test/api/inngest?fnId=fuzz-all&stepId=step" },
      retries: { attempts: 7 },
    },
  },
  idempotency: "event.data.order_id",
  rateLimit: { limit: 4, period: "2h", key: "event.data.r" },
  throttle: { limit: 10, period: "1m", burst: 3, key: "event.data.k" },
  concurrency: [{ limit: 5 }, { limit: 2, key: "event.data.user", scope: "env" }],
  debounce: { period: "30s", key: "event.data.d", timeout: "5m" },
  priority: { run: "event.data.plan == 'pro' ? 120 : 0" },
  timeouts: { start: "10m", finish: "1h" },
  singleton: { key: "event.data.s", mode: "cancel" },
  cancel: [{ event: "fuzz/cancel", timeout: "1d", if: "event.data.id == async.data.id" }],
};

const BATCHED = {
  id: "fuzz-batched",
  name: "Batched",
  triggers: [{ event: "fuzz/batched" }],
  steps: EVERY_OPTION.steps,
  batchEvents: { maxSize: 10, timeout: "5s", key: "event.data.k", if: "event.data.ok == true" },
};

/** The body of a registration; the in-band reply of a sync has nearly the same. */
export const REGISTRATION = {
  url: "http://app.test/api/inngest?deployId=d1",
  deployType: "ping",
  framework: "nodejs",
  appName: "fuzz",
  appVersion: "1.2.3",
  functions: [EVERY_OPTION, BATCHED],
  sdk: "js:v4.24.0",
  v: "0.1",
  headers: { env: "", platform: "vercel" },
  capabilities: { trust_probe: "v1", connect: "v1" },
};

/** Registering apps. */
export const REGISTER: readonly Surface[] = [
  {
    method: "POST",
    path: "/fn/register",
    query: { deployId: ["01JD2QV6Z9M4N8R3T5W7X1Y2A6", "dep-1"] },
    bodies: [JSON.stringify(REGISTRATION)],
  },
];

const STEP = {
  id: "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
  op: "StepRun",
  mode: "sync",
  name: "a",
  displayName: "a",
  userland: { id: "a" },
  opts: { type: "step", input: [1, { a: 2 }] },
  data: { v: 1 },
  timing: { a: 1795226599556000000, b: 0 },
  metadata: [{ kind: "userland.note", scope: "step", op: "merge", values: { a: 1 } }],
};

/** Operations of every kind, as a reply, a checkpoint or an endpoint's report may carry them. */
export const OPS = [
  STEP,
  { id: "b1", op: "StepError", name: "b", error: { name: "Error", message: "no", stack: "at x" }, opts: {} },
  { id: "b2", op: "StepFailed", name: "b", error: { name: "Error", message: "no", cause: { a: 1 } } },
  { id: "b3", op: "StepPlanned", name: "c", opts: { parallelMode: "race" } },
  { id: "b4", op: "Sleep", name: "1h", opts: {} },
  { id: "b5", op: "WaitForEvent", name: "fuzz/go", opts: { event: "fuzz/go", timeout: "1h", if: "async.data.a == 1" } },
  { id: "b6", op: "WaitForSignal", name: "s", opts: { signal: "s", timeout: "1h", conflict: "replace" } },
  { id: "b7", op: "InvokeFunction", opts: { function_id: "fuzz-x", payload: { data: { a: 1 } }, timeout: "1h" } },
  { id: "b8", op: "Gateway", opts: { url: "http://127.0.0.1:1/", method: "POST", headers: { a: "b" }, body: "x" } },
  { id: "b9", op: "AIGateway", opts: { url: "http://127.0.0.1:1/", format: "openai", auth_key: "k", body: {} } },
  { id: "c1", op: "DeferAdd", opts: { fn_slug: "fuzz-x", input: { a: 1 }, meta: {} } },
  { id: "c2", op: "DeferAbort", opts: { target_hashed_id: "c1" } },
  { id: "0737c22d3bfae812339732d14d8c7dbd6dc4e09c", op: "RunComplete", data: { done: true } },
  { id: "c3", op: "DiscoveryRequest" },
];

/** The body of an ordinary function's checkpoint. */
export const CHECKPOINT = {
  run_id: KNOWN_RUN,
  fn_id: "33333333-3333-8333-8333-333333333333",
  qi_id: `${KNOWN_RUN}.1`,
  request_id: "r",
  generation_id: 1,
  steps: [STEP],
  ts: 1795226599569,
};

/** The body of an endpoint's first checkpoint. */
export const NEW_RUN = {
  run_id: KNOWN_RUN,
  event: {
    name: "inngest/http.request",
    data: {
      content_type: "application/json",
      domain: "http://app.test",
      ip: "9.9.9.9",
      method: "POST",
      path: "/api/x",
      query_params: "q=1",
      body: '{"in":1}',
      fn: "",
    },
  },
  steps: [STEP],
  ts: 1795227839678,
  request_version: 2,
  retries: 3,
};

/** The body of an endpoint's later checkpoints. */
export const LATER_STEPS = { fn_id: "f", app_id: "a", run_id: KNOWN_RUN, steps: OPS.slice(0, 3), ts: 1795227839700 };

/** Checkpoints of every kind, under both names. */
export const CHECKPOINTS: readonly Surface[] = ["/v1/checkpoint", "/v1/http/runs"].flatMap((prefix): Surface[] => [
  { method: "POST", path: `${prefix}/{id}/async`, parts: RUNS, bodies: [JSON.stringify(CHECKPOINT)] },
  { method: "POST", path: `${prefix}/{id}/steps`, parts: RUNS, bodies: [JSON.stringify(LATER_STEPS)] },
  { method: "POST", path: prefix, bodies: [JSON.stringify(NEW_RUN)] },
  { method: "GET", path: `${prefix}/{id}/output`, parts: RUNS, query: { token: ["a.b.c"] } },
]);

const CHANNEL = { channel: ["chat:1", STRANGE_RUN], topic: ["news", "$run"], run_id: [STRANGE_RUN] };

/** Realtime. */
export const REALTIME: readonly Surface[] = [
  {
    method: "POST",
    path: "/v1/realtime/token",
    query: { publish: ["true"] },
    bodies: [JSON.stringify([{ channel: "chat:1", name: "news", kind: "run" }])],
  },
  {
    method: "POST",
    path: "/v1/realtime/publish",
    query: { ...CHANNEL, metadata: ['{"a":1}'] },
    bodies: ['{"o":1}', '"plain"'],
  },
  { method: "POST", path: "/v1/realtime/publish/tee", query: CHANNEL, bodies: ['"event: x\\n\\n"'] },
  { method: "GET", path: "/v1/realtime/connect", query: { token: ["a.b.c"] } },
  { method: "GET", path: "/v1/realtime/sse", query: { token: ["a.b.c"] } },
  { method: "GET", path: "/v1/runs/{id}/live", parts: { id: [STRANGE_RUN] } },
];

const TIME = "2026-11-21T02:00:00Z";
const NAMED = { slug: ["fuzz-nobody"], name: ["nobody"], ...RUNS };

/** Commands on things that do not exist, so that none of them is carried out. */
export const COMMANDS: readonly Surface[] = [
  { method: "POST", path: "/invoke/{slug}", parts: NAMED, bodies: ['{"data":{"a":1},"user":{}}'] },
  { method: "POST", path: "/v1/signals", bodies: ['{"signal":"s","data":{"a":1}}'] },
  {
    method: "POST",
    path: "/v1/runs/{id}/metadata",
    parts: RUNS,
    bodies: ['{"target":{"step_id":"s"},"metadata":[{"kind":"userland.a","op":"merge","values":{"a":1}}]}'],
  },
  {
    method: "POST",
    path: "/v1/runs/{id}/rerun",
    parts: RUNS,
    bodies: ['{"from_step":"a","input":[{"a":1}],"request_id":"r1"}'],
  },
  {
    method: "POST",
    path: "/v1/cancellations",
    bodies: [JSON.stringify({ app_id: "nobody", function_id: "f", started_before: TIME, if: "event.data.a == 1" })],
  },
  {
    method: "POST",
    path: "/v1/replays",
    bodies: [JSON.stringify({ function_id: "nobody", name: "n", from: TIME, statuses: ["Failed"], if: "true" })],
  },
  { method: "POST", path: "/v1/functions/{slug}/pause", parts: NAMED, bodies: ['{"running":"hold"}'] },
  { method: "POST", path: "/v1/functions/{slug}/resume", parts: NAMED, bodies: ["{}"] },
  { method: "POST", path: "/v1/functions/{slug}/archive", parts: NAMED, bodies: ["{}"] },
  { method: "POST", path: "/v1/functions/{slug}/invoke", parts: NAMED, bodies: ['{"data":{"a":1},"wait":"1s"}'] },
  { method: "POST", path: "/v1/functions/{slug}/windows/run", parts: NAMED, bodies: ['{"kind":"batch","key":"k"}'] },
  { method: "POST", path: "/v1/apps/{name}/archive", parts: NAMED, bodies: ["{}"] },
  { method: "POST", path: "/v1/apps", bodies: ['{"url":"not a url"}'] },
  { method: "DELETE", path: "/fn/remove", query: { url: ["http://app.test/nobody"] } },
  { method: "DELETE", path: "/v1/runs/{id}", parts: RUNS, query: { children: ["true"] } },
  { method: "DELETE", path: "/v0/runs/{id}", parts: RUNS },
  { method: "DELETE", path: "/v1/cancellations/{id}", parts: RUNS },
  { method: "DELETE", path: "/v1/replays/{id}", parts: RUNS },
  { method: "POST", path: "/v0/telemetry", bodies: ["{}"] },
];

const PAGE = { limit: ["20", "0", "-1"], cursor: [STRANGE_RUN] };

/** Everything that only reads. */
export const READS: readonly Surface[] = [
  {
    method: "GET",
    path: "/v1/events",
    query: { ...PAGE, name: ["a"], received_after: [TIME], received_before: [TIME] },
  },
  { method: "GET", path: "/v1/events/{id}", parts: { id: ["order-1"] } },
  { method: "GET", path: "/v1/events/{id}/runs", parts: { id: ["order-1"] }, query: PAGE },
  {
    method: "GET",
    path: "/v1/runs",
    query: {
      ...PAGE,
      status: ["Completed,Failed"],
      app_id: ["a"],
      function_id: ["f"],
      from: [TIME],
      until: [TIME],
      time_field: ["ended_at"],
    },
  },
  { method: "GET", path: "/v1/runs/{id}", parts: RUNS },
  { method: "GET", path: "/v1/runs/{id}/jobs", parts: RUNS },
  { method: "GET", path: "/v1/runs/{id}/why", parts: RUNS },
  { method: "GET", path: "/v0/runs/{id}/batch", parts: RUNS },
  { method: "GET", path: "/v0/runs/{id}/actions", parts: RUNS },
  { method: "GET", path: "/v1/cancellations", query: PAGE },
  { method: "GET", path: "/v1/cancellations/{id}", parts: RUNS },
  { method: "GET", path: "/v1/replays", query: PAGE },
  { method: "GET", path: "/v1/replays/{id}", parts: RUNS },
  { method: "GET", path: "/v1/functions/{slug}", parts: NAMED },
  { method: "GET", path: "/v1/functions/{slug}/windows", parts: NAMED },
  {
    method: "GET",
    path: "/v1/functions/{slug}/lines",
    parts: NAMED,
    query: { counts: ["steps"], scope: ["fn"], expression: ["event.data.a"], key: ["k"] },
  },
  { method: "GET", path: "/v1/apps/{name}", parts: NAMED },
  { method: "GET", path: "/v1/apps/{name}/functions", parts: NAMED },
  { method: "GET", path: "/v1/apps/{name}/syncs", parts: NAMED, query: PAGE },
  { method: "GET", path: "/{anything}" },
  { method: "OPTIONS", path: "/e/{key}" },
];

/** Bodies that some route takes, among them those of surfaces which have no list of their own. */
const ANY_BODY = [
  "{}",
  '{"query":"query Q($id: ID!) { run(runID: $id) { id status } }","variables":{"id":"a"},"operationName":"Q"}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_events","arguments":{"limit":1}}}',
  '{"sql":"SELECT COUNT(*) FROM events WHERE name = \'a\'","query":"SELECT 1"}',
  '{"resourceSpans":[{"resource":{"attributes":[]},"scopeSpans":[{"spans":[{"traceId":"00","name":"x"}]}]}]}',
  '{"url":"not a url","name":"n","data":{"a":1},"reason":"r"}',
];

/** All routes of a router, whichever they are. */
export function everyRoute(routes: readonly { readonly method: string; readonly path: string }[]): readonly Surface[] {
  const known = new Map<string, Surface>();
  for (const { method, path } of routes) {
    if (method === "ALL" || path.includes("*")) continue;
    const filled = path.replace(/:(\w+)(?:\{[^}]*\})?\??/g, "{$1}");
    const body = method === "GET" || method === "DELETE" ? {} : { bodies: ANY_BODY };
    known.set(`${method} ${path}`, { method, path: filled, parts: NAMED, query: PAGE, ...body });
  }
  return [...known.values()];
}
