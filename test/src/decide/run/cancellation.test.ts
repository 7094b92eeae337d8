import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerToRepetition, takesChildrenAlong } from "../../../../src/decide/run/cancellation.ts";
import type { Change } from "../../../../src/decide/run/change.ts";
import type { Input } from "../../../../src/decide/run/decide.ts";
import { dueJobs, isDormant, nextLook } from "../../../../src/decide/run/effects.ts";
import { receive } from "../../../../src/decide/run/endpoint.ts";
import type { CancelCause } from "../../../../src/decide/run/flow.ts";
import { jobsOf, rowOf } from "../../../../src/decide/run/report.ts";
import { type Fence, fenceOf, HANDLER, isStopped, memoOf, waitingSteps } from "../../../../src/decide/run/state.ts";
import type { AcceptedEvent } from "../../../../src/events/event.ts";
import type { Json } from "../../../../src/json.ts";
import { CAPACITY } from "../../../../src/limits.ts";
import type { Op } from "../../../../src/protocol/opcodes.ts";
import { limitedBy, line } from "./limited.ts";
import { completed, errored, failed, planned, ran, slept, T0, TestRun } from "./run.ts";

const USER: CancelCause = { by: "user" };
const CANCELLED = { error: "function cancelled", message: "function cancelled", name: "Error" };
const HOUR = 3_600_000;

const step = (id: string) => ({ id, label: { name: id, type: null }, race: false, metadata: [] });
const wait = (id: string, ms: number): Op => ({
  op: "wait",
  event: "app/ok",
  condition: null,
  until: `${ms}ms`,
  ...step(id),
});
const invoke = (id: string): Op => ({ op: "invoke", functionId: "child", payload: {}, until: null, ...step(id) });
const cancelling = (executing: readonly number[], cause: CancelCause = USER): Input => ({
  kind: "cancel",
  cause,
  executing: new Set(executing),
});

function event(): AcceptedEvent {
  const internalId = "01JD00000000000000000000IN";
  const payload = { name: "app/ok", data: {}, id: internalId, ts: T0, user: {} };
  return { internalId, receivedAt: T0, source: "test", deduplicationId: null, payload };
}

describe("cancelling a run (CR-1)", () => {
  it("CR-4: a queued run ends at once and never starts", () => {
    const run = new TestRun({ startAt: T0 + HOUR });
    run.take(cancelling([]));
    expect(run.state.outcome).toEqual({ status: "cancelled", output: CANCELLED, at: T0, cause: USER });
    expect(run.state.startedAt).toBeNull();
    expect(run.wake(HOUR)).toBe(false);
    expect(run.due()).toEqual([]);
  });

  it("CR-1: a sleeping run ends at once, and nothing of it is left", () => {
    const run = new TestRun();
    run.ops([slept("s", "1h"), wait("w", HOUR), invoke("c")]);
    run.take(cancelling([]));
    expect(run.state.outcome?.status).toBe("cancelled");
    expect([jobsOf(run.state), waitingSteps(run.state), run.state.jobs.size]).toEqual([[], [], 0]);
  });

  it("CR-1: an executing step ends first, its result is discarded, and nothing follows", () => {
    const run = new TestRun();
    run.ops([ran("one", 1)]);
    const two = run.job();
    run.take(cancelling([two.id]));
    expect(run.state).toMatchObject({ outcome: null, cancelling: USER });
    expect(isStopped(run.state)).toBe(true);
    run.ops([ran("two", 2)], { job: two });
    expect(run.state.outcome).toMatchObject({ status: "cancelled", cause: USER });
    expect(memoOf(run.state)).toEqual({ one: { data: 1 } });
  });

  it("CR-1: even the output of the whole function is discarded", () => {
    const run = new TestRun();
    const job = run.job();
    run.take(cancelling([job.id]));
    run.output("done", job);
    expect(run.state.outcome).toMatchObject({ status: "cancelled", output: CANCELLED });
  });

  it("CR-1: of parallel steps those that wait for a place are dropped; the run ends with the last that executes", () => {
    const run = new TestRun();
    run.ops([planned("a"), planned("b"), planned("c"), slept("s", "1h")]);
    const [a, b, c] = [run.jobOf("a"), run.jobOf("b"), run.jobOf("c")];
    run.take(cancelling([a.id, b.id]));
    expect([...run.state.jobs.keys()]).toEqual([a.id, b.id]);
    expect(dueJobs(run.state, new Set(), T0)).toEqual([]);
    expect(jobsOf(run.state).map(({ step }) => step)).toEqual(["a", "b"]);
    run.ops([errored("a")], { job: a });
    expect(run.state.outcome).toBeNull();
    expect(run.ops([ran("c")], { job: c })).toBe(false);
    run.reply(
      { kind: "error", error: { name: "Error", message: "" }, version: 2, noRetry: false, retryAt: null },
      fenceOf(b),
    );
    expect(run.state.outcome?.status).toBe("cancelled");
  });

  it("CR-1: a call that a crash lost has ended: the run looks after it within the watchdog's time and is done", () => {
    const run = new TestRun();
    const job = run.job();
    run.take(cancelling([job.id]));
    expect(nextLook(run.state, T0, 10_000)).toBe(T0 + 10_000);
    expect(isDormant(run.state, true, T0)).toBe(false);
    expect(run.wake(10_000, [job.id])).toBe(false);
    run.wake(10_000);
    expect(run.state.outcome).toMatchObject({ status: "cancelled", cause: USER });
  });

  it("FC-10: under a limit a lost call has had the time to end before its run does, whichever comes first", () => {
    const loaded: Input = { kind: "wake", delivering: new Set(), loaded: true };
    for (const order of [
      [cancelling([1]), loaded],
      [loaded, cancelling([])],
    ]) {
      const run = new TestRun(limitedBy(line("steps")));
      run.take({ kind: "granted", jobs: [1], admitted: false });
      for (const input of order) run.take(input);
      expect(run.state).toMatchObject({ outcome: null, cancelling: USER });
      expect(nextLook(run.state, T0, 10_000)).toBe(T0 + CAPACITY.orphan);
      expect(run.wake(CAPACITY.orphan - 1)).toBe(false);
      expect(run.due()).toEqual([]);
      run.wake(1);
      expect(run.state.outcome?.status).toBe("cancelled");
    }
  });

  it("FC-10, CR-6: a new instance whose first look comes after the finish time-out leaves the lost call its time, too", () => {
    const limited = limitedBy(line("steps"));
    const run = new TestRun({ flow: { ...limited.flow, timeouts: { start: null, finish: 1000 } } as never });
    run.take({ kind: "granted", jobs: [1], admitted: false });
    run.now += 1000;
    run.take({ kind: "wake", delivering: new Set(), loaded: true });
    expect(run.state).toMatchObject({ outcome: null, cancelling: { by: "finish_timeout" } });
    run.wake(CAPACITY.orphan);
    expect(run.state.outcome?.status).toBe("cancelled");
  });

  it("FC-10: a lost call that reports is told to stop, and has ended", () => {
    const run = new TestRun(limitedBy(line("steps")));
    run.take({ kind: "granted", jobs: [1], admitted: false });
    const fence = fenceOf(run.job());
    run.take({ kind: "wake", delivering: new Set(), loaded: true });
    run.take(cancelling([]));
    run.take({ kind: "checkpoint", fence, ops: [ran("a")] });
    expect(run.state).toMatchObject({ outcome: { status: "cancelled" }, outlasting: [] });
  });

  it("FC-10: a call that is told to stop outlasts its run until it is answered; one that is answered does not, nor one that nothing limits", () => {
    const outlasting = (limited: boolean, input: (fence: Fence) => Input) => {
      const run = new TestRun(limitedBy(...(limited ? [line("steps")] : [])));
      run.take({ kind: "granted", jobs: [1], admitted: false });
      const fence = fenceOf(run.job());
      run.take(cancelling([1]));
      run.take(input(fence));
      expect(run.state.outcome?.status).toBe("cancelled");
      return run.state.outlasting;
    };
    const stopped = (fence: Fence): Input => ({ kind: "checkpoint", fence, ops: [ran("a")] });
    const reply = { kind: "ops", ops: [], version: 2, noRetry: false, retryAt: null } as const;
    expect(outlasting(true, stopped)).toEqual([null]);
    expect(outlasting(false, stopped)).toEqual([]);
    expect(outlasting(true, (fence) => ({ kind: "reply", fence, reply }))).toEqual([]);
  });

  it("CR-1: a second wish to cancel changes nothing, unless it knows that nothing executes any more", () => {
    const run = new TestRun();
    const job = run.job();
    run.take(cancelling([job.id]));
    expect(run.take(cancelling([job.id], { by: "api" }))).toBe(false);
    run.take(cancelling([], { by: "api" }));
    expect(run.state.outcome).toMatchObject({ status: "cancelled", cause: USER });
    expect(run.take(cancelling([]))).toBe(false);
  });

  it("CR-1: cancel is final: nothing that comes later changes the run", () => {
    const run = new TestRun();
    const job = run.job();
    run.take(cancelling([]));
    expect(run.output(1, job)).toBe(false);
    expect(run.take({ kind: "resolved", stepId: "c", memo: 1 })).toBe(false);
    expect(run.state.outcome?.status).toBe("cancelled");
  });

  it("CR-1: an ended run is not cancelled", () => {
    const run = new TestRun();
    run.output(1);
    expect(run.take(cancelling([]))).toBe(false);
    expect(run.state.outcome?.status).toBe("completed");
  });

  it("EX-67: a checkpoint is discarded and ends the run, as its call is told to stop", () => {
    const run = new TestRun();
    const job = run.job();
    run.take({ kind: "checkpoint", fence: fenceOf(job), ops: [ran("one")] });
    run.take(cancelling([job.id]));
    run.take({ kind: "checkpoint", fence: fenceOf(job), ops: [ran("two")] });
    expect(run.state.outcome?.status).toBe("cancelled");
    expect(Object.keys(memoOf(run.state))).toEqual(["one"]);
  });

  it("EX-67: a run that the app's own handler carries ends at once, and the handler is told to stop", () => {
    const endpoint = {
      method: "POST",
      url: "https://shop.test/order",
      contentType: "",
      version: 2,
      sdk: "inngest-js:v4.24.0",
      lease: 60_000,
    };
    const run = new TestRun({ endpoint });
    const report = (ops: Op[]) =>
      receive(run.state, { functionId: "fn-uuid", ops, thrown: null, identity: null }, run.moment());
    run.take({ kind: "checkpoint", fence: HANDLER, ops: [ran("one")] });
    run.take(cancelling([]));
    expect(run.state.outcome).toMatchObject({ status: "cancelled", cause: USER });
    expect(report([ran("two")])).toEqual({ reported: "ended", decided: null });
    expect(report([completed("done")])).toEqual({ reported: "ended", decided: null });
    expect(Object.keys(memoOf(run.state))).toEqual(["one"]);
  });

  it("CR-1: the engine's own request counts as executing", () => {
    const run = new TestRun();
    run.ops([{ op: "request", via: "gateway", opts: {}, ...step("f") }]);
    const job = run.job();
    run.take(cancelling([job.id]));
    run.take({ kind: "answered", fence: fenceOf(job), outcome: { ok: true, memo: { data: 1 } } });
    expect(run.state.outcome?.status).toBe("cancelled");
    expect(memoOf(run.state)).toEqual({});
  });

  it("EX-72: metadata may be written while a run is being cancelled", () => {
    const run = new TestRun();
    run.take(cancelling([run.job().id]));
    const change = { stepId: null, kind: "score", op: "set", values: { a: 1 } } as const;
    expect(run.take({ kind: "annotated", changes: [change] })).toBe(true);
  });

  it("EX-49: a conflict that is found too late leaves it cancelled", () => {
    const run = new TestRun();
    const job = run.job();
    run.take(cancelling([job.id]));
    expect(run.take({ kind: "failed", error: { name: "signal_conflict", message: "taken" } })).toBe(false);
  });

  it("CR-13: history gets the cause when the run has ended, not before", () => {
    const run = new TestRun();
    const job = run.job();
    const cause: CancelCause = { by: "event", eventId: "01JD00000000000000000000IN", eventName: "app/no" };
    run.take(cancelling([job.id], cause));
    expect(rowOf(run.state)).toMatchObject({ status: "running", cancelReason: null });
    run.output(1, job);
    expect(rowOf(run.state)).toMatchObject({ status: "cancelled", cancelReason: cause });
  });

  it("EX-54: children go along only when asked for, also by a later wish", () => {
    const run = new TestRun();
    const job = run.job();
    run.take(cancelling([job.id]));
    expect(takesChildrenAlong(run.state)).toBe(false);
    run.take(cancelling([job.id], { by: "api", children: true }));
    expect(takesChildrenAlong(run.state)).toBe(true);
    run.output(1, job);
    expect(takesChildrenAlong(run.state)).toBe(true);
    expect(run.state.outcome?.cause).toEqual({ by: "user", children: true });
  });

  it("CR-9: an operation that asks again gets the same answer, anybody else that the run has ended", () => {
    const bulk: CancelCause = { by: "bulk", cancellationId: "one" };
    const outcome = { status: "cancelled", output: null, at: T0, cause: bulk } as const;
    expect(answerToRepetition(outcome, bulk)).toBe("cancelled");
    expect(answerToRepetition(outcome, { by: "bulk", cancellationId: "two" })).toBe("ended");
    expect(answerToRepetition({ ...outcome, cause: { by: "api" } }, { by: "api" })).toBe("ended");
    expect(answerToRepetition({ status: "completed", output: 1, at: T0 }, bulk)).toBe("ended");
  });
});

/** What can meet: a run with `a` executing, `r` waiting for its second attempt, `w` for an event, `c` for a child. */
const ACTS = ["cancel", "success", "failure", "retry", "match", "timeout", "child"] as const;
type Act = (typeof ACTS)[number];

class Meeting {
  readonly run = new TestRun();
  readonly #a: Fence;
  /** Calls in flight. */
  readonly executing = new Set<number>();

  /** Timers fire in the order of `acts`; those that are not among them do not fire. */
  constructor(acts: readonly Act[]) {
    const dueAt = (act: Act) => {
      const position = acts.indexOf(act);
      return position < 0 ? HOUR : 1000 * (position + 1);
    };
    this.run.ops([planned("a"), planned("r"), wait("w", dueAt("timeout")), invoke("c")]);
    const [a, r] = [this.run.jobOf("a"), this.run.jobOf("r")];
    this.run.reply(
      { kind: "ops", ops: [errored("r")], version: 2, noRetry: false, retryAt: T0 + dueAt("retry") },
      fenceOf(r),
    );
    this.executing.add(a.id);
    this.#a = fenceOf(a);
  }

  do(act: Act, position: number): void {
    const { run } = this;
    run.now = T0 + 1000 * (position + 1);
    switch (act) {
      case "cancel":
        run.take(cancelling([...this.executing]));
        break;
      case "success":
      case "failure": {
        const op = act === "success" ? ran("a") : failed("a");
        this.executing.delete(this.#a.job);
        run.reply({ kind: "ops", ops: [op], version: 2, noRetry: false, retryAt: null }, this.#a);
        break;
      }
      case "retry":
      case "timeout":
        run.wake(0, [...this.executing]);
        // What is due is called by the instance that decided so.
        for (const job of run.due()) if (job.stepId === "r") this.executing.add(job.id);
        break;
      case "match":
        run.take({ kind: "event", stepId: "w", event: event() });
        break;
      case "child":
        run.take({ kind: "resolved", stepId: "c", memo: { data: "c" } });
        break;
    }
  }

  /** Whatever executes ends. */
  drain(): void {
    for (const id of this.executing) {
      const job = this.run.state.jobs.get(id);
      if (job !== undefined) this.run.ops([ran(job.stepId ?? "")], { job });
    }
    this.executing.clear();
  }

  /** Its status, and the steps that have a result: `!` an error, `0` a time-out. */
  toString(): string {
    const { outcome, cancelling } = this.run.state;
    const status = outcome?.status ?? (cancelling === null ? "open" : "cancelling");
    const steps = Object.entries(memoOf(this.run.state)).map(([id, memo]) => `${id}${markOf(memo)}`);
    return [status, ...steps.sort()].join(" ");
  }

  changes(kind: Change["is"]): Change[] {
    return this.run.log.flatMap(({ changes }) => changes.filter(({ is }) => is === kind));
  }
}

const markOf = (memo: Json) => (memo === null ? "0" : typeof memo === "object" && "error" in memo ? "!" : "");

/** What the run looks like when the row's act came first and then the column's. */
const MEETINGS: Readonly<Record<Act, Readonly<Record<Act, string>>>> = {
  cancel: {
    cancel: "cancelling",
    success: "cancelled",
    failure: "cancelled",
    retry: "cancelling",
    match: "cancelling",
    timeout: "cancelling",
    child: "cancelling",
  },
  success: {
    cancel: "cancelled a",
    success: "open a",
    failure: "open a",
    retry: "open a",
    match: "open a w",
    timeout: "open a w0",
    child: "open a c",
  },
  failure: {
    cancel: "cancelled a!",
    success: "open a!",
    failure: "open a!",
    retry: "open a!",
    match: "open a! w",
    timeout: "open a! w0",
    child: "open a! c",
  },
  retry: {
    cancel: "cancelling",
    success: "open a",
    failure: "open a!",
    retry: "open",
    match: "open w",
    timeout: "open w0",
    child: "open c",
  },
  match: {
    cancel: "cancelling w",
    success: "open a w",
    failure: "open a! w",
    retry: "open w",
    match: "open w",
    timeout: "open w",
    child: "open c w",
  },
  timeout: {
    cancel: "cancelling w0",
    success: "open a w0",
    failure: "open a! w0",
    retry: "open w0",
    match: "open w0",
    timeout: "open w0",
    child: "open c w0",
  },
  child: {
    cancel: "cancelling c",
    success: "open a c",
    failure: "open a! c",
    retry: "open c",
    match: "open c w",
    timeout: "open c w0",
    child: "open c",
  },
};

describe("row 20: every order of two things that meet has one outcome", () => {
  const pairs = ACTS.flatMap((first) => ACTS.map((second) => [first, second, MEETINGS[first][second]] as const));

  it.each(pairs)("%s, then %s: %s", (first, second, expected) => {
    const meeting = new Meeting([first, second]);
    meeting.do(first, 0);
    meeting.do(second, 1);
    expect(String(meeting)).toBe(expected);
    const isCancelled = first === "cancel" || second === "cancel";
    if (isCancelled) {
      // Whatever still executes ends; then the run is cancelled, once, with what it had.
      meeting.drain();
      expect(String(meeting)).toBe(expected.replace("cancelling", "cancelled"));
      expect(meeting.changes("ended")).toHaveLength(1);
      expect(meeting.run.due()).toEqual([]);
    } else {
      expect(meeting.changes("ended")).toEqual([]);
      // The retry is delivered once, however many timers fire.
      expect(meeting.changes("delivered")).toHaveLength([first, second].includes("retry") ? 1 : 0);
    }
  });

  it("CR-1, EX-11: after a cancellation, in any order of anything, nothing begins and nothing is kept", () => {
    const acts = fc.array(fc.constantFrom(...ACTS), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(acts, acts, (before, after) => {
        const all = [...before, "cancel" as const, ...after];
        const meeting = new Meeting(all);
        for (const [position, act] of before.entries()) meeting.do(act, position);
        const rows = meeting.run.log.length;
        for (const [position, act] of all.slice(before.length).entries()) meeting.do(act, before.length + position);
        meeting.drain();
        const later = meeting.run.log.slice(rows).flatMap(({ changes }) => changes.map(({ is }) => is));
        expect(later.filter((is) => !["cancelling", "done", "ended"].includes(is))).toEqual([]);
        expect(meeting.changes("ended")).toHaveLength(1);
        expect(meeting.run.state.outcome?.status).toBe("cancelled");
      }),
      { numRuns: 300 },
    );
  });
});
