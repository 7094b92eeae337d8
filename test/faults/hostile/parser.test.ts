/**
 * Row 14 without a network: thousands of damaged replies through the parser and the run's state machine, which must make something of each
 * (SE-15, I2, I4, I6). The seed is fixed unless FUZZ_SEED names another.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../../../src/decide/run/decide.ts";
import { nextLook } from "../../../src/decide/run/effects.ts";
import { replay } from "../../../src/decide/run/evolve.ts";
import { fenceOf, hasPendingSteps } from "../../../src/decide/run/state.ts";
import { parseJson } from "../../../src/json.ts";
import { type CallReply, parseReply, type RawReply } from "../../../src/protocol/call-reply.ts";
import { buildCall } from "../../../src/protocol/call-request.ts";
import { parseCheckpoint } from "../../../src/protocol/checkpoint.ts";
import { mistyped } from "../../conformance/wire/faults/mutations.ts";
import { capturedReplies } from "../../conformance/wire/fixtures/replies.ts";
import { hostileJson, hostileText } from "../../fuzz/hostile.ts";
import { planOf } from "../../fuzz/plan.ts";
import { planned, ran, T0, TestRun } from "../../src/decide/run/run.ts";
import { damagedBytes } from "./bytes.ts";

const CAPTURED = [...capturedReplies("v3"), ...capturedReplies("v4")].map(({ status, headers, body }) => ({
  status,
  headers,
  text: JSON.stringify(body ?? null),
}));

/** The step "a" of the captured replies. */
const STEP_A = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8";

const STATUSES = [100, 199, 200, 201, 204, 206, 299, 301, 400, 401, 404, 429, 500, 503, 599] as const;

const read = new TextDecoder();

/** A captured reply whose bytes are damaged, or its JSON; one in four with another status, another header or inside an envelope. */
const damagedReply: fc.Arbitrary<RawReply> = fc.constantFrom(...CAPTURED).chain(({ status, headers, text }) =>
  fc.record({
    status: fc.oneof(
      { weight: 3, arbitrary: fc.constant(status) },
      { weight: 1, arbitrary: fc.constantFrom(...STATUSES) },
    ),
    headers: fc.oneof(
      { weight: 3, arbitrary: fc.constant(headers) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(
            fc.constantFrom("retry-after", "x-inngest-no-retry", "x-inngest-req-version", "x-inngest-sdk", "__proto__"),
            hostileText,
          )
          .map(([name, value]) => ({ ...headers, [name]: value.slice(0, 1000) })),
      },
    ),
    body: fc.oneof(
      damagedBytes(Buffer.from(text)).map((bytes) => read.decode(bytes)),
      mistyped(text),
      hostileJson([text]),
      damagedBytes(Buffer.from(JSON.stringify({ status, headers, body: text }))).map((bytes) => read.decode(bytes)),
      mistyped(JSON.stringify({ status, headers, body: text, retryAt: "2027-01-01T00:00:00Z", noRetry: false })),
    ),
  }),
);

describe("row 14: damaged replies", () => {
  it("SE-15: every reply is an output, operations or a named error; none throws", () => {
    fc.assert(
      fc.property(damagedReply, (raw) => {
        const parsed = parseReply(raw, T0);
        expect(["output", "ops", "error"]).toContain(parsed.kind);
        if (parsed.kind === "output") return;
        if (parsed.retryAt !== null) {
          expect(parsed.retryAt).toBeGreaterThanOrEqual(T0 + 1_000);
          expect(parsed.retryAt).toBeLessThanOrEqual(T0 + 86_400_000);
        }
        if (parsed.kind === "error") {
          expect(parsed.error).toMatchObject({ name: expect.stringMatching(/./), message: expect.any(String) });
        }
      }),
      planOf(process.env, 4_000),
    );
  });

  it("SE-15, I2, I4: whatever a run makes of a reply, it has ended or something is to come, and its results stay", () => {
    fc.assert(
      fc.property(damagedReply, fc.constantFrom("first", "later", "last", "targeted"), (raw, when) => {
        const run = runAt(when, raw);
        const before = new Map(run.state.steps);
        take(run, parseReply(raw, T0));
        for (const [id, step] of before) {
          if (step.status === "finished") expect(run.state.steps.get(id)).toEqual(step);
        }
        expect(new Set(run.state.stack).size).toBe(run.state.stack.length);
        expectProgress(run);
      }),
      planOf(process.env, 2_000),
    );
  });

  it("SE-15: damaged checkpoints are taken or refused with a reason; none throws", () => {
    const runId = "01JD2QV6Z9M4N8R3T5W7X1Y2A4";
    const text = JSON.stringify({
      run_id: runId,
      fn_id: "33333333-3333-4333-8333-333333333333",
      qi_id: `${runId}.1`,
      generation_id: 1,
      steps: CAPTURED.filter(({ status }) => status === 206).flatMap((one) => JSON.parse(one.text)),
    });
    const body = fc.oneof(
      damagedBytes(Buffer.from(text)).map((bytes) => read.decode(bytes)),
      mistyped(text),
    );
    fc.assert(
      fc.property(body, (sent) => {
        const json = parseJson(sent);
        if (!json.ok) return;
        const parsed = parseCheckpoint(runId, json.value);
        if (parsed.ok) return;
        expect(parsed.message.length).toBeLessThan(3_000);
      }),
      planOf(process.env, 300),
    );
  });
});

/** A run that waits for the reply to its first call, to one after a finished step, to its last attempt, or to a call for one step. */
function runAt(when: "first" | "later" | "last" | "targeted", reply: RawReply): TestRun {
  const run = new TestRun(when === "last" ? { retries: 0 } : {});
  if (when === "later" || when === "last") run.ops([ran(STEP_A)]);
  // A step that the reply speaks of, so that it may be its answer.
  const [id = STEP_A] = /[0-9a-f]{40}/.exec(reply.body) ?? [];
  if (when === "targeted") run.ops([planned(id), planned("other")]);
  return run;
}

/** Feeds the reply to the call that is due, with several to the first. The run then is what its log folds to, as after a restart. */
function take(run: TestRun, reply: CallReply): void {
  const [job] = run.due();
  if (job === undefined) throw new Error("No call is due.");
  const decided = decide(run.state, { kind: "reply", fence: fenceOf(job), reply }, run.moment());
  if (decided === null) throw new Error("A reply to the current call must change the run.");
  const restarted = replay(JSON.parse(JSON.stringify([...run.log, decided.decision])));
  if (restarted === null) throw new Error("The run is gone.");
  run.state = restarted;
}

function expectProgress({ state, now }: TestRun): void {
  if (state.outcome !== null) return;
  const jobs = [...state.jobs.values()];
  expect(jobs.length > 0 || hasPendingSteps(state), "the run waits for nothing").toBe(true);
  for (const step of state.steps.values()) {
    const called = jobs.some(({ stepId }) => stepId === step.id || (step.status === "requesting" && stepId === null));
    if (step.status === "planned" || step.status === "requesting") expect(called, `nobody calls ${step.id}`).toBe(true);
  }
  const look = nextLook(state, now, 10_000);
  expect(look).toEqual(expect.any(Number));
  expect(look).toBeGreaterThanOrEqual(now);
  for (const job of jobs) {
    // A call that cannot be made, or whose headers no request can carry, would be tried in vain.
    const call = buildCall(state, job, CONTEXT);
    expect(() => new Request(call.url, { method: "POST", headers: call.headers, body: call.body })).not.toThrow();
    expect(JSON.parse(call.body)).toMatchObject({ ctx: { stack: { stack: state.stack } } });
    expect(Object.keys(JSON.parse(call.body).steps).sort()).toEqual([...state.stack].sort());
  }
}

const CONTEXT = {
  url: "http://127.0.0.1:3000/api/inngest",
  requestId: "request",
  serverKind: "dev",
  maxSteps: 1000,
  requests: { canFetchState: true, canCheckpoint: true },
  canonical: true,
} as const;
