/**
 * Checkpoints that are wrong: malformed, foreign, stale, repeated. Each is answered as it deserves and leaves its run consistent
 * (EX-4, EX-11, EX-66, protocol/09 §9.3). No SDK sends most of them, so a scripted app does.
 */
import { expect } from "vitest";
import type { Answer, TestEngine } from "../harness/engine.ts";
import type { AppCall, ScriptedApp } from "../harness/scripted-app.ts";
import { uploadWithoutEnd } from "../wire/upload.ts";

const A = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8";
const B = "e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98";

/** A finished step, as SDKs report it. */
export const stepRun = (id: string, data: unknown) => ({ id, op: "StepRun", name: id, opts: {}, mode: "sync", data });

/** What a case may do while a call of the app is open. */
export interface OpenCall {
  readonly engine: TestEngine;
  readonly call: AppCall;
  /** Posts a checkpoint of this call; fields of the body may be replaced, and the run in the path. */
  post(steps: unknown, change?: Readonly<Record<string, unknown>>, runId?: string): Promise<Answer>;
  raw(body: string): Promise<Answer>;
}

/** One kind of checkpoint: what is posted during the first call, and the results the run must have in the end. */
export interface CheckpointCase {
  readonly title: string;
  readonly during: (open: OpenCall) => Promise<void>;
  /** Memos by step id in the second call; default none. */
  readonly memos?: Readonly<Record<string, unknown>>;
}

const unknownRun = "01M7XYNV5JQNGATXFY4P780S07";

/** The table. */
export const CHECKPOINTS: readonly CheckpointCase[] = [
  {
    title: "a good one is stored, also under the other prefix",
    during: async ({ engine, call, post }) => {
      expect(await post([stepRun(A, 1)])).toMatchObject({ status: 200 });
      const { run_id, qi_id, generation_id } = call.body.ctx;
      const body = { run_id, qi_id, generation_id, steps: [stepRun(B, { b: null })] };
      expect(await engine.api("POST", `/v1/http/runs/${run_id}/async`, body)).toMatchObject({ status: 200 });
    },
    memos: { [A]: { data: 1 }, [B]: { data: { b: null } } },
  },
  {
    title: "of several results for one step the first counts",
    during: async ({ post }) => {
      expect(await post([stepRun(A, "first"), stepRun(A, "second")])).toMatchObject({ status: 200 });
      expect(await post([stepRun(A, "third")])).toMatchObject({ status: 200 });
    },
    memos: { [A]: { data: "first" } },
  },
  {
    title: "a failed step is stored as an error",
    during: async ({ post }) => {
      const failed = { ...stepRun(A, null), op: "StepFailed", error: { name: "E", message: "m" } };
      expect(await post([failed])).toMatchObject({ status: 200 });
    },
    memos: { [A]: { error: { name: "E", message: "m" } } },
  },
  {
    title: "a planned step is progress, no plan",
    during: async ({ post }) => {
      expect(await post([{ ...stepRun(A, null), op: "StepPlanned" }])).toMatchObject({ status: 200 });
    },
  },
  {
    title: "no step at all",
    during: async ({ post }) => {
      expect(await post([])).toMatchObject({ status: 200 });
    },
  },
  {
    title: "operations that end a call are refused, and their neighbours with them",
    during: async ({ post }) => {
      for (const op of [
        "Sleep",
        "WaitForEvent",
        "InvokeFunction",
        "Gateway",
        "AIGateway",
        "WaitForSignal",
        "StepError",
      ]) {
        expect(await post([stepRun(B, 1), { ...stepRun(A, null), op }]), op).toMatchObject({ status: 400 });
      }
    },
  },
  {
    title: "operations nobody knows are refused",
    during: async ({ post }) => {
      expect(await post([{ ...stepRun(A, 1), op: "Teleport" }])).toMatchObject({ status: 400 });
      expect(await post([{ op: "StepRun", data: 1 }])).toMatchObject({ status: 400 });
    },
  },
  {
    title: "malformed bodies are refused",
    during: async ({ post, raw }) => {
      for (const body of ["", "{", "[]", "null", '"steps"', "{}"])
        expect(await raw(body), body).toMatchObject({ status: 400 });
      for (const steps of [undefined, null, "StepRun", [1], [null]])
        expect(await post(steps), String(steps)).toMatchObject({ status: 400 });
      expect(await post([stepRun(A, 1)], { qi_id: undefined })).toMatchObject({ status: 400 });
      expect(await post([stepRun(A, 1)], { qi_id: "nonsense" })).toMatchObject({ status: 400 });
      expect(await post([stepRun(A, 1)], { generation_id: "x" })).toMatchObject({ status: 400 });
    },
  },
  {
    title: "more than 1,000 steps are refused",
    during: async ({ post }) => {
      const steps = Array.from({ length: 1001 }, (_, n) => stepRun(`s${n}`, null));
      expect(await post(steps)).toMatchObject({ status: 400 });
    },
  },
  {
    title: "more than 8 MiB are refused",
    during: async ({ engine, call }) => {
      const url = `${engine.url}/v1/checkpoint/${call.runId}/async`;
      const headers = { "content-type": "application/json", "content-length": String(8 * 1024 * 1024 + 1) };
      const answer = await uploadWithoutEnd(url, headers, [Buffer.from('{"steps":')]);
      expect(answer).toMatchObject({ status: 413, code: "request_too_large" });
    },
  },
  {
    title: "a result larger than 4 MiB is refused, and its neighbours with it",
    during: async ({ post }) => {
      const large = "x".repeat(4 * 1024 * 1024 - 1);
      expect(await post([stepRun(A, 1), stepRun(B, large)])).toMatchObject({ status: 413 });
    },
  },
  {
    title: "a stale or unknown dispatch is told so",
    during: async ({ call, post }) => {
      const { run_id, generation_id } = call.body.ctx;
      expect(await post([stepRun(A, 1)], { generation_id: generation_id + 1 })).toMatchObject({ status: 409 });
      expect(await post([stepRun(A, 1)], { generation_id: generation_id - 1 })).toMatchObject({ status: 409 });
      expect(await post([stepRun(A, 1)], { qi_id: `${run_id}.99` })).toMatchObject({ status: 409 });
    },
  },
  {
    title: "a foreign run, function or item is refused",
    during: async ({ call, post }) => {
      const { run_id, qi_id } = call.body.ctx;
      expect(await post([stepRun(A, 1)], {}, unknownRun)).toMatchObject({ status: 400 });
      const foreign = { run_id: unknownRun, qi_id: `${unknownRun}.1` };
      expect(await post([stepRun(A, 1)], foreign, unknownRun)).toMatchObject({ status: 404 });
      expect(await post([stepRun(A, 1)], foreign, run_id)).toMatchObject({ status: 400 });
      expect(await post([stepRun(A, 1)], { run_id: unknownRun })).toMatchObject({ status: 400 });
      expect(await post([stepRun(A, 1)], { qi_id }, "no-ulid")).toMatchObject({ status: 404 });
      expect(await post([stepRun(A, 1)], { fn_id: "33333333-3333-4333-8333-333333333333" })).toMatchObject({
        status: 404,
      });
    },
  },
];

/** Runs one case against a scripted app; answers the memos of the second call and what a checkpoint after the end is told. */
export async function checkpointed(app: ScriptedApp, engine: TestEngine, name: string, one: CheckpointCase) {
  let failure: unknown;
  let late: () => Promise<Answer> = () => Promise.reject(new Error("The app was not called"));
  const script = async (call: AppCall) => {
    if (call.number > 1) return { status: 206, body: [{ op: "RunComplete", id: "end", data: "done" }] };
    const { run_id, qi_id, generation_id, fn_id } = call.body.ctx;
    const post: OpenCall["post"] = (steps, change = {}, runId = run_id) =>
      engine.api("POST", `/v1/checkpoint/${runId}/async`, { run_id, qi_id, generation_id, fn_id, steps, ...change });
    const raw: OpenCall["raw"] = (body) => engine.api("POST", `/v1/checkpoint/${run_id}/async`, body);
    late = () => post([stepRun(A, "late")]);
    try {
      await one.during({ engine, call, post, raw });
    } catch (error) {
      failure = error;
    }
    return { status: 206, body: [stepRun("last", "last")] };
  };
  await app.register(engine, name, [{ id: "f", event: `${name}/x`, retries: 0, script }]);
  const [eventId = ""] = await engine.send({ name: `${name}/x` });
  const [run] = await engine.ended(eventId);
  if (failure !== undefined) throw failure;
  const second = app.callsOf(`${name}-f`).find(({ number }) => number === 2);
  return { run, steps: second?.body.steps, late: await late() };
}
