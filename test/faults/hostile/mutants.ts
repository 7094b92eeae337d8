/**
 * Row 14 through a real engine: some hundred captured replies with damaged bytes, to a first call and to a call for one step. The same in
 * every run of the suite; a failure names the mutant (SE-15, I2, I4).
 */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { hasEnded } from "../../conformance/harness/engine.ts";
import type { AppCall, Reply } from "../../conformance/harness/scripted-app.ts";
import { jobsOf, type Seen } from "../../conformance/wire/case.ts";
import { capturedReplies } from "../../conformance/wire/fixtures/replies.ts";
import { done, planned, progress } from "../../conformance/wire/ops.ts";
import { planOf } from "../../fuzz/plan.ts";
import { damagedBytes } from "./bytes.ts";

/** Replies that reach out into the network, or wait for longer than a test does. */
const LEFT_OUT = ["wait", "waitmatch", "inv", "signal", "fetch", "infer", "infera"];
const CAPTURED = [...capturedReplies("v3"), ...capturedReplies("v4")].filter(({ name }) => !LEFT_OUT.includes(name));

/** ms that all mutants may take together. */
const PATIENCE = 90_000;
/** Work that is due later than this, ms, is a retry or a sleep that a mutant asked for. */
const LATER = 10_000;

interface Mutant extends Reply {
  readonly raw: Uint8Array;
}

const mutant: fc.Arbitrary<Mutant> = fc.constantFrom(...CAPTURED).chain(({ status, headers, body }) => {
  const plain = { status, headers, raw: damagedBytes(Buffer.from(JSON.stringify(body ?? null))) };
  const envelope = damagedBytes(Buffer.from(JSON.stringify({ status, headers, body: JSON.stringify(body ?? null) })));
  return fc.oneof(
    { weight: 3, arbitrary: plain.raw.map((raw): Mutant => ({ status, headers, raw })) },
    {
      weight: 1,
      arbitrary: envelope.map((raw): Mutant => ({ status: 201, headers: { "x-inngest-req-version": "" }, raw })),
    },
  );
});

/** Declares the test. */
export function mutantTest(world: () => Pick<Seen, "engine" | "app">): void {
  it(
    "row 14: after a reply with damaged bytes every run has ended or waits for something, and no step runs twice (SE-15, I2, I4)",
    async () => {
      const { engine, app } = world();
      const mutants = fc.sample(mutant, planOf(process.env, 150));
      const mutantOf = ({ body }: AppCall): Mutant => {
        const { n } = body.event.data as { n: number }; // sent below
        return mutants[n] ?? { raw: Buffer.of() };
      };
      const registered = await app.register(engine, "mutants", [
        {
          id: "first",
          event: "mutants/go",
          retries: 0,
          script: (call) => (call.number === 1 ? mutantOf(call) : done()),
        },
        {
          id: "targeted",
          event: "mutants/go",
          retries: 1,
          script: (call) => {
            if (call.number === 1) return progress(planned("p"));
            return call.stepId === "p" && call.body.ctx.attempt === 0 ? mutantOf(call) : done();
          },
        },
      ]);
      expect(registered.json, registered.text).toMatchObject({ ok: true });
      const ids = await engine.send(mutants.map((_, n) => ({ name: "mutants/go", data: { n } })));
      for (const [n, id] of ids.entries()) {
        const runs = await engine.until(async () => {
          const both = await engine.runsOf(id);
          if (both.length < 2) return null;
          for (const run of both) {
            if (hasEnded(run)) continue;
            const jobs = await jobsOf(engine, run.run_id);
            if (!jobs.some(({ at }) => Date.parse(at) > Date.now() + LATER)) return null;
          }
          return both;
        }, PATIENCE);
        expect(runs, `mutant ${n}: ${JSON.stringify(mutants[n])}`).toHaveLength(2);
      }
      // A call names every finished step once.
      for (const { body } of [...app.callsOf("mutants-first"), ...app.callsOf("mutants-targeted")]) {
        const { stack } = body.ctx.stack;
        expect(new Set(stack).size).toBe(stack.length);
      }
    },
    PATIENCE,
  );
}
