/**
 * A run whose app answers whatever comes to its mind (SE-15, I4, I6): it has ended, or it has something that brings it on, and its log
 * tells the same as its state.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextLook } from "../../../src/decide/run/effects.ts";
import { fenceOf } from "../../../src/decide/run/state.ts";
import { parseJson } from "../../../src/json.ts";
import { parseReply } from "../../../src/protocol/call-reply.ts";
import { parseCheckpoint } from "../../../src/protocol/checkpoint.ts";
import { hostileJson } from "../../fuzz/hostile.ts";
import { planOf } from "../../fuzz/plan.ts";
import { OPS } from "../../fuzz/surfaces.ts";
import { TestRun } from "../decide/run/run.ts";

const plan = <T>(cases: number) => planOf<T>(process.env, cases);

const RUN = "01JD00000000000000000000RN";
const ops = hostileJson([
  ...OPS.map((op) => JSON.stringify([op])),
  JSON.stringify(OPS),
  JSON.stringify(OPS.slice(0, 4)),
]);
const SDK = { "x-inngest-sdk": "inngest-js:v4.24.0", "x-inngest-req-version": "2" };

/** What happens next: an answer to a call, a checkpoint of one, or time. */
const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("reply" as const),
      status: fc.constantFrom(200, 201, 206, 206, 206, 206, 400, 500),
      body: ops,
      which: fc.nat(3),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("checkpoint" as const), body: ops, which: fc.nat(3) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("time" as const), ms: fc.constantFrom(0, 1000, 60_000, 86_400_000) }),
  },
);

describe("hostile apps", () => {
  it("SE-15, I4, I6: leave no run stuck, whatever they answer", () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 6 }), (events) => {
        const run = new TestRun();
        for (const happening of events) {
          if (run.state.outcome !== null) return;
          if (happening.kind === "time") {
            run.wake(happening.ms);
            continue;
          }
          const due = run.due();
          const job = due[happening.which % Math.max(due.length, 1)];
          if (job === undefined) continue;
          if (job.request) {
            // The engine's own request, of which the app says nothing.
            const outcome = { ok: true, memo: { data: asWritten(happening.body) } } as const;
            const forgotten = happening.kind === "checkpoint";
            run.take(
              forgotten
                ? { kind: "forgotten", fence: fenceOf(job) }
                : { kind: "answered", fence: fenceOf(job), outcome },
            );
            continue;
          }
          if (happening.kind === "reply") {
            const raw = { status: happening.status, headers: SDK, body: asWritten(happening.body) };
            run.take({ kind: "reply", fence: fenceOf(job), reply: parseReply(raw, run.now) });
            continue;
          }
          const parsedBody = parseJson(asWritten(happening.body));
          const steps = parsedBody.ok ? parsedBody.value : null;
          const parsed = parseCheckpoint(RUN, { qi_id: `${RUN}.${job.id}`, generation_id: job.generation, steps });
          if (parsed.ok) run.take({ kind: "checkpoint", fence: fenceOf(job), ops: parsed.checkpoint.ops });
        }
        const look = nextLook(run.state, run.now, 10_000);
        expect(run.state.outcome !== null || run.due().length > 0 || look !== null).toBe(true);
      }),
      plan(2500),
    );
  });
});

/** Without -0 and infinity, which JSON can say but not write: the log has 0 and null, and so has what the app is sent. */
function asWritten(body: string): string {
  const parsed = parseJson(body);
  return parsed.ok ? JSON.stringify(parsed.value) : body;
}
