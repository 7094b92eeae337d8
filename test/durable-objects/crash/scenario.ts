/**
 * A small life of a run that uses most of what runs do: steps, a sleep, a wait, a child. The app is played here; it keeps the record that the
 * checks believe. Owns how a scenario is begun, helped over a crash, and judged.
 */
import { listDurableObjectIds, runDurableObjectAlarm } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { expect, vi } from "vitest";
import { LOCAL } from "../../../src/environments/environment.ts";
import { findRun } from "../../../src/history/runs.ts";
import { environmentStub, runStub, waitsStub } from "../../../src/objects.ts";
import { bindings } from "../records.ts";
import { registerFunctions } from "../registered.ts";

// The Worker itself; the plugin types exports only for projects that generate their types.
const worker = (exports as unknown as { default: Fetcher }).default;

/** ms by which a round moves the clock: past every watchdog and repetition of a short crash. */
const ROUND = 21_000;
/** Rounds after which a run that has not ended is stuck. */
const ROUNDS = 40;

/** Looks at the run in each round. */
const LOOKS = 12;

interface Call {
  readonly event: { readonly data: { readonly key: string; readonly parent?: boolean } };
  readonly steps: Readonly<Record<string, unknown>>;
  readonly ctx: { readonly run_id: string; readonly stack: { readonly stack: readonly string[] } };
}

/** What a test does in between: everywhere where it waits. */
type Between = () => Promise<void>;
const nothing: Between = async () => {};

/** What the app was asked, and what it did. */
export interface Life {
  readonly key: string;
  /** Bodies that were executed, with the value each answered. */
  readonly bodies: { readonly runId: string; readonly step: string; readonly value: string }[];
  /** Results that calls were given, by run and step. */
  readonly given: Map<string, Set<string>>;
  /** Runs of the child. */
  readonly children: Set<string>;
  /** Runs of the parent. */
  readonly parents: Set<string>;
}

let lives = 0;
/** Objects of lives that were judged. */
const over = new Set<string>();
const byKey = new Map<string, Life>();
/** Told of each call before the app has seen it, and after it has done its work. */
let onCall: (when: "before" | "after") => void = () => {};
let executions = 0;

/** Prepares the file's tests. */
export async function prepare(): Promise<void> {
  vi.stubGlobal("fetch", app);
  await registerFunctions(bindings.DB, LOCAL.id, { "shop-parent": ["life/begin"], "shop-child": [] });
}

/** Counts calls of the app as crash points. */
export function watchCalls(listener: typeof onCall): void {
  onCall = listener;
}

async function app(_url: string | URL | Request, init?: RequestInit): Promise<Response> {
  onCall("before");
  const call = (await new Request("http://app", { ...init, method: "POST" }).json()) as Call;
  const { key, parent } = call.event.data;
  const life = byKey.get(key);
  if (life === undefined) throw new Error(`Nobody began ${key}`);
  const reply = parent === true ? ofParent(life, call) : ofChild(life, call);
  onCall("after");
  const headers = { "x-inngest-sdk": "test:v1.0.0", "x-inngest-req-version": "2", "content-type": "application/json" };
  return Response.json(reply.body, { status: reply.status, headers });
}

const ops = (...list: object[]) => ({ status: 206, body: list });

function ofParent(life: Life, { ctx, steps }: Call) {
  life.parents.add(ctx.run_id);
  note(life, ctx.run_id, steps);
  switch (ctx.stack.stack.length) {
    case 0:
      return ops(body(life, ctx.run_id, "a"));
    case 1:
      return ops({ id: "nap", op: "Sleep", displayName: "nap", name: "5ms" });
    case 2:
      return ops({
        id: "wait",
        op: "WaitForEvent",
        displayName: "wait",
        opts: { event: "life/go", timeout: "30d", if: `async.data.key == '${life.key}'` },
      });
    case 3:
      return ops(body(life, ctx.run_id, "b"));
    case 4:
      return ops({
        id: "call",
        op: "InvokeFunction",
        displayName: "call",
        opts: { function_id: "shop-child", payload: { data: { key: life.key } }, timeout: "30d" },
      });
    case 5:
      return ops(body(life, ctx.run_id, "c"));
    default:
      return { status: 200, body: steps };
  }
}

function ofChild(life: Life, { ctx, steps }: Call) {
  life.children.add(ctx.run_id);
  note(life, ctx.run_id, steps);
  return ctx.stack.stack.length === 0 ? ops(body(life, ctx.run_id, "x")) : { status: 200, body: steps["x"] };
}

function body(life: Life, runId: string, step: string) {
  const value = `${step}#${++executions}`;
  life.bodies.push({ runId, step, value });
  return { id: step, op: "StepRun", displayName: step, data: value };
}

function note(life: Life, runId: string, steps: Call["steps"]): void {
  for (const [step, result] of Object.entries(steps)) {
    const id = `${runId} ${step}`;
    life.given.set(id, (life.given.get(id) ?? new Set()).add(JSON.stringify(result)));
  }
}

/** Sends an event under an id, again until it is accepted. */
async function send(name: string, id: string, data: object, between: Between): Promise<string> {
  const seed = `${Date.now()},${btoa(id.padEnd(10, "-").slice(-10))}`;
  for (;;) {
    try {
      const response = await worker.fetch("http://engine/e/test", {
        method: "POST",
        headers: { "x-inngest-event-id-seed": seed },
        body: JSON.stringify({ name, data }),
      });
      const { ids } = (await response.json()) as { ids?: [string] };
      if (response.status === 200 && ids !== undefined) return ids[0];
    } catch {
      // The Worker's objects were aborted under it: the sender hears nothing.
    }
    await between();
  }
}

/** Begins a life; resolves when its event is accepted. */
export async function begin(between: Between = nothing): Promise<Life> {
  const key = `life${++lives}`;
  const life: Life = { key, bodies: [], given: new Map(), children: new Set(), parents: new Set() };
  byKey.set(key, life);
  await send("life/begin", `${key}a`, { key, parent: true }, between);
  return life;
}

/** Lets time pass and alarms fire until the run has ended, and sends what it waits for. `between`: after each look. */
export async function live(life: Life, between: Between = nothing): Promise<void> {
  let sent = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (let looks = 0; looks < LOOKS; looks++) {
      await between();
      const parent = await view(life);
      if (parent?.row.status === "completed") return;
      // Sent again and again: the wait may not be registered yet.
      const waits = parent?.jobs.some(({ kind }) => kind === "wait") === true;
      if (waits && !life.bodies.some(({ step }) => step === "b"))
        await send("life/go", `${++sent}${life.key}`, { key: life.key }, between);
      await scheduler.wait(2);
    }
    vi.setSystemTime(Date.now() + ROUND);
    await fireAll();
    // An alarm whose handler died with its object is repeated by the platform, in its own time; the question of the sweep stands for that.
    if (round > 1) await rouse(life);
  }
  throw new Error(`${life.key} is stuck: ${JSON.stringify({ ...(await view(life)), bodies: life.bodies })}`);
}

async function rouse({ parents, children }: Life): Promise<void> {
  for (const runId of [...parents, ...children]) await runStub(bindings, LOCAL.id, runId).rouse();
}

async function view(life: Life) {
  const [runId] = life.parents;
  if (runId === undefined) return null;
  try {
    return await runStub(bindings, LOCAL.id, runId).view();
  } catch {
    return null;
  }
}

/** Every alarm that is set fires now: the clock is the test's, the platform's is not. */
export async function fireAll(): Promise<void> {
  const ids = await listDurableObjectIds(bindings.RUN);
  const runs = ids.filter((id) => !over.has(id.toString())).map((id) => bindings.RUN.get(id));
  const others = [waitsStub(bindings, LOCAL.id, "event", "life/go"), environmentStub(bindings, LOCAL.id)];
  for (const stub of [...runs, ...others]) {
    // An object may be dying of the crash: it is woken in the next round.
    await runDurableObjectAlarm(stub as DurableObjectStub).catch(() => false);
  }
}

/** Holds the record against what the engine says. */
export async function judge(life: Life): Promise<void> {
  for (const id of await listDurableObjectIds(bindings.RUN)) over.add(id.toString());
  const { key, parents, children, given, bodies } = life;
  expect([key, parents.size, children.size]).toEqual([key, 1, 1]);
  const [runId = ""] = parents;
  for (const [step, results] of given) expect([step, ...results]).toHaveLength(2);
  const { row } = (await runStub(bindings, LOCAL.id, runId).view()) ?? {};
  expect(row?.status).toBe("completed");
  const output = row?.output as Readonly<Record<string, { data: unknown }>>;
  for (const step of ["a", "b", "c"]) {
    const made = bodies.filter((one) => one.runId === runId && one.step === step).map(({ value }) => value);
    expect(made).toContain(output[step]?.data);
  }
  const ofChild = bodies.filter(({ step }) => step === "x").map(({ value }) => value);
  expect(ofChild).toContainEqual(((output["call"]?.data ?? {}) as { data?: unknown }).data ?? output["call"]?.data);
  await vi.waitFor(
    async () =>
      expect(await findRun(bindings.DB, LOCAL.id, runId)).toMatchObject({ status: "completed", output: row?.output }),
    20_000,
  );
}
