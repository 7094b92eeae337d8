import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Decision } from "../../../../src/decide/run/change.ts";
import { decide, type Input } from "../../../../src/decide/run/decide.ts";
import { dueJobs, isDormant, nextLook } from "../../../../src/decide/run/effects.ts";
import { type EndpointReport, type Reported, receive } from "../../../../src/decide/run/endpoint.ts";
import { replay } from "../../../../src/decide/run/evolve.ts";
import type { EndpointOrigin, RunIdentity } from "../../../../src/decide/run/identity.ts";
import { jobsOf, rowOf } from "../../../../src/decide/run/report.ts";
import { fenceOf, isHeld, type Job, memoOf, type RunState } from "../../../../src/decide/run/state.ts";
import type { Moment } from "../../../../src/decide/run/turn.ts";
import type { Op } from "../../../../src/protocol/opcodes.ts";
import { completed, errored, failed, identity, planned, ran, slept, T0 } from "./run.ts";

const LEASE = 60_000;
const origin: EndpointOrigin = {
  method: "POST",
  url: "https://shop.test/order?x=1",
  contentType: "application/json",
  version: 2,
  sdk: "inngest-js:v4.24.0",
  lease: LEASE,
};
const whole: RunIdentity = identity({ retries: 3, endpoint: origin });
const RESPONSE = { status: 200, headers: {}, body: "null" };

/** A run that only reports reach; the log it leaves is folded again after each of them. */
class Handled {
  state: RunState | null = null;
  now = T0;
  readonly log: Decision[] = [];

  moment(): Moment {
    return { now: this.now, random: 0, retryInterval: 1000, maxSteps: 1000 };
  }

  report(ops: readonly Op[], over: Partial<EndpointReport> = {}): Reported {
    const identity = this.state === null ? whole : null;
    const report = { functionId: "fn-uuid", ops, thrown: null, identity, ...over };
    const { reported, decided } = receive(this.state, report, this.moment());
    this.#take(decided);
    return reported;
  }

  take(input: Input): boolean {
    return this.#take(decide(this.run, input, this.moment()));
  }

  wake(after: number): boolean {
    this.now += after;
    return this.take({ kind: "wake", delivering: new Set() });
  }

  get run(): RunState {
    if (this.state === null) throw new Error("there is no run yet");
    return this.state;
  }

  due(): Job[] {
    return dueJobs(this.run, new Set(), this.now);
  }

  #take(decided: { state: RunState; decision: Decision } | null): boolean {
    if (decided === null) return false;
    this.state = decided.state;
    this.log.push(decided.decision);
    expect(replay(JSON.parse(JSON.stringify(this.log)))).toEqual(this.state);
    return true;
  }
}

function begun(...ops: Op[]): Handled {
  const run = new Handled();
  expect(run.report(ops)).toBe("stored");
  return run;
}

const label = (id: string) => ({ id, label: { name: id, type: null }, race: false, metadata: [] });
const rediscover: Op = { op: "rediscover" };
const waited: Op = { op: "wait", event: "a/ok", condition: null, until: "1d", ...label("w") };
const invoked: Op = { op: "invoke", functionId: "shop-x", payload: {}, until: null, ...label("i") };
const requested: Op = { op: "request", via: "gateway", opts: {}, ...label("r") };
const deferred: Op = { op: "defer", deferId: "d", functionSlug: "shop-later", input: 1, meta: null };

describe("the handler carries its run", () => {
  it("EX-68: the first report begins the run and stores its steps, in one row", () => {
    const run = begun(ran("a", 1));
    expect(run.log).toHaveLength(1);
    expect(run.run).toMatchObject({ sequence: 1, startedAt: T0, protocol: 2, stack: ["a"], outcome: null });
    expect(memoOf(run.run)).toEqual({ a: { data: 1 } });
    expect(rowOf(run.run).status).toBe("running");
  });

  it("EX-68: nothing is called while it reports, and nothing counts as queued", () => {
    const run = begun(ran("a"));
    for (const id of ["b", "c", "d"]) {
      run.now += LEASE - 1;
      expect(run.report([ran(id)])).toBe("stored");
      expect(run.due()).toEqual([]);
      expect(run.wake(0)).toBe(false);
    }
    expect(jobsOf(run.run)).toEqual([]);
    expect(run.log).toHaveLength(4);
  });

  it("EX-68: its completion ends the run with the response", () => {
    const run = begun(ran("a"));
    expect(run.report([completed(RESPONSE)])).toBe("stored");
    expect(run.run.outcome).toMatchObject({ status: "completed", output: RESPONSE });
    expect(run.log).toHaveLength(2);
  });

  it("EX-68: an endpoint without steps is one row", () => {
    const run = begun(completed(RESPONSE));
    expect(run.run.outcome?.status).toBe("completed");
    expect(run.log).toHaveLength(1);
  });

  it("EX-71: its deferred calls are kept", () => {
    expect(begun(ran("a"), deferred).run.defers.get("d")?.functionSlug).toBe("shop-later");
  });

  it("a report does not move the alarm that watches it", () => {
    const run = begun(ran("a"));
    expect(nextLook(run.run, run.now, 10_000)).toBe(T0 + LEASE);
    expect(isDormant(run.run, true, run.now)).toBe(false);
  });
});

describe("EX-69: what the handler cannot go on with is the engine's", () => {
  it.each<[string, Op[]]>([
    ["a sleep", [slept("s", "2s")]],
    ["a wait", [waited]],
    ["an invocation", [invoked]],
    ["a request", [requested]],
    ["parallel steps", [planned("p"), planned("q")]],
    ["an error to be retried", [errored("e")]],
    ["a step that failed for good", [failed("f")]],
    ["the end of its time", [rediscover]],
  ])("%s", (_, ops) => {
    const run = begun(ran("a"));
    expect(run.report(ops)).toBe("stored");
    expect(isHeld(run.run)).toBe(false);
    expect(run.run.outcome).toBeNull();
    // The handler may repeat its last word; it waits for the result then.
    expect(run.report(ops)).toBe("stored");
    expect(run.report([ran("later")])).toBe("superseded");
    expect(run.log).toHaveLength(2);
  });

  it("a sleep is slept by the engine, which then enters the function", () => {
    const run = begun(ran("a"), slept("s", "2s"));
    expect(run.due()).toEqual([]);
    run.wake(2000);
    expect(run.due()).toMatchObject([{ stepId: null, attempt: 0 }]);
    expect(memoOf(run.run)).toEqual({ a: { data: "a" }, s: null });
  });

  it("EX-20: a step's error is retried as the second attempt, after the back-off", () => {
    const run = begun(ran("a"), errored("e"));
    expect(run.due()).toEqual([]);
    run.now += 1000;
    expect(run.due()).toMatchObject([{ id: 1, attempt: 1, generation: 2 }]);
  });

  it("EX-26: a step that failed for good is in the memo of the next call", () => {
    const run = begun(failed("f", "no"));
    expect(memoOf(run.run)).toMatchObject({ f: { error: { message: "no" } } });
    expect(run.due()).toMatchObject([{ stepId: null }]);
  });
});

describe("what the handler throws between steps", () => {
  const error = { name: "Error", message: "bad" };

  it("EX-29: it is retried, and its finished steps are kept", () => {
    const run = new Handled();
    run.report([ran("a"), deferred], { thrown: { error, noRetry: false, retryAt: null } });
    expect(run.run.outcome).toBeNull();
    expect(run.run.stack).toEqual(["a"]);
    expect(run.run.defers.size).toBe(1);
    run.now += 1000;
    expect(run.due()).toMatchObject([{ id: 1, attempt: 1 }]);
    expect(run.log).toHaveLength(1);
  });

  it("EX-23: at the time it asked for", () => {
    const run = new Handled();
    run.report([], { thrown: { error, noRetry: false, retryAt: T0 + 7000 } });
    expect(run.run.jobs.get(1)).toMatchObject({ attempt: 1, due: T0 + 7000 });
  });

  it("EX-22: one that forbids another attempt fails the run", () => {
    const run = new Handled();
    run.report([], { thrown: { error, noRetry: true, retryAt: null } });
    expect(run.run.outcome).toMatchObject({ status: "failed", output: error });
  });
});

describe("a handler that falls silent", () => {
  it("EX-11: the engine enters the function by itself, and the handler is stopped", () => {
    const run = begun(ran("a"));
    expect(run.wake(LEASE - 1)).toBe(false);
    expect(run.wake(1)).toBe(true);
    expect(run.due()).toMatchObject([{ id: 1, generation: 2, attempt: 0 }]);
    expect(run.report([ran("b")])).toBe("superseded");
    expect(run.report([ran("a", "other")])).toBe("stored");
    expect(memoOf(run.run)).toEqual({ a: { data: "a" } });
  });

  it("EX-4: a last word that comes too late changes nothing, but its caller may wait", () => {
    const run = begun(ran("a"));
    run.wake(LEASE);
    expect(run.report([slept("s", "2s")])).toBe("stored");
    expect(run.report([], { thrown: { error: { name: "Error", message: "" }, noRetry: true, retryAt: null } })).toBe(
      "stored",
    );
    expect(run.run.outcome).toBeNull();
    expect(run.run.steps.has("s")).toBe(false);
  });

  it("the reply to the engine's call counts", () => {
    const run = begun(ran("a"));
    run.wake(LEASE);
    const [job] = run.due();
    if (job === undefined) throw new Error("no call is due");
    const reply = { kind: "ops", ops: [completed(RESPONSE)], version: 2, noRetry: false, retryAt: null } as const;
    run.take({ kind: "reply", fence: fenceOf(job), reply });
    expect(run.run.outcome?.status).toBe("completed");
  });
});

describe("reports that do not fit", () => {
  it("a report of steps for a run that does not exist", () => {
    expect(new Handled().report([ran("a")], { identity: null })).toBe("unknown");
  });

  it("of another function", () => {
    expect(begun(ran("a")).report([ran("b")], { functionId: "other" })).toBe("unknown");
  });

  it("for a run that an event started", () => {
    const run = new Handled();
    run.report([ran("a")], { identity: identity() });
    expect(run.report([ran("b")])).toBe("unknown");
    expect(run.report([ran("b")], { identity: whole })).toBe("conflict");
  });

  it("for a run that has ended: only what was already reported", () => {
    const run = begun(ran("a"), completed(RESPONSE));
    expect(run.report([ran("a")])).toBe("stored");
    expect(run.report([completed(RESPONSE)])).toBe("stored");
    expect(run.report([completed({ ...RESPONSE, status: 404 })])).toBe("ended");
    expect(run.report([ran("b")])).toBe("ended");
    expect(run.report([slept("s", "2s")])).toBe("ended");
    expect(run.log).toHaveLength(1);
  });

  it.each<[string, Partial<RunIdentity>]>([
    ["method", { endpoint: { ...origin, method: "GET" } }],
    ["URL", { endpoint: { ...origin, url: "https://shop.test/other" } }],
    ["function", { function: { ...whole.function, id: "other" } }],
    ["request", { events: identity().events.map((one) => ({ ...one, event: withData(one.event, { n: 2 }) })) }],
  ])("a first report that repeats a run's id with another %s", (_, over) => {
    const run = begun(ran("a"));
    expect(run.report([ran("a")], { identity: { ...whole, ...over } })).toBe("conflict");
  });

  it("a first report that is repeated, with other times, is taken", () => {
    const run = begun(ran("a"));
    expect(run.report([ran("a")], { identity: { ...whole, queuedAt: T0 + 5, startAt: T0 + 5 } })).toBe("stored");
    expect(run.log).toHaveLength(1);
  });
});

describe("EX-69: status and headers of the response", () => {
  const head = (status: number) =>
    ({ kind: "responded", head: { status, headers: { "x-n": String(status) } } }) as const;

  it("are taken after the end too, once", () => {
    const run = begun(slept("s", "0s"), completed(RESPONSE));
    expect(run.take(head(201))).toBe(true);
    expect(run.take(head(202))).toBe(false);
    expect(run.run.response).toEqual({ status: 201, headers: { "x-n": "201" } });
  });

  it("of a handler that is entered again replace the earlier ones", () => {
    const run = begun(ran("a"));
    run.take(head(201));
    run.take(head(202));
    run.report([completed(RESPONSE)]);
    expect(run.take(head(203))).toBe(false);
    expect(run.run.response?.status).toBe(202);
  });

  it("of an ordinary run mean nothing", () => {
    const run = new Handled();
    run.report([], { identity: identity() });
    expect(run.take(head(201))).toBe(false);
  });
});

describe("any handler", () => {
  const op = fc.oneof(
    fc.constantFrom("a", "b", "c").map((id) => ran(id)),
    fc.constantFrom<Op>(slept("s", "2s"), waited, planned("a"), planned("p"), errored("b"), failed("c"), rediscover),
    fc.constantFrom<Op>(deferred, completed(RESPONSE)),
  );
  const happening = fc.oneof(
    { weight: 4, arbitrary: fc.array(op, { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constantFrom(1, LEASE / 2, LEASE) },
  );

  it("EX-4, EX-10: a report that is repeated changes nothing, and is never refused while the run goes on", () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 12 }), (happenings) => {
        const run = new Handled();
        run.report([]);
        for (const one of happenings) {
          if (typeof one === "number") {
            run.wake(one);
            continue;
          }
          const reported = run.report(one);
          const rows = run.log.length;
          const again = run.report(one);
          expect(run.log).toHaveLength(rows);
          if (run.run.outcome === null) expect(again).toBe(reported);
        }
      }),
      { numRuns: 500 },
    );
  });
});

function withData<T extends { payload: object }>(event: T, data: object): T {
  return { ...event, payload: { ...event.payload, data } };
}
