/**
 * I2: no step effect is recorded twice. A result that a call was given, and did not make itself, is the recorded one: it never changes, its
 * body is not executed in any later call, and the run's output is made of it.
 */
import type { Note } from "../notes.ts";
import { type Campaign, Check, groupBy, type Verdict } from "./check.ts";
import { outputOf } from "./runs.ts";

type Of<Is extends Note["is"]> = Extract<Note, { is: Is }>;

/** All verdicts on I2. */
export function checkResults({ notes, views }: Campaign): Verdict[] {
  const same = new Check("I2", "each recorded result: the same in every call, and of a body that ran");
  const once = new Check("I2", "each recorded result: not executed in a later call");
  const output = new Check("I2", "each output: made of recorded results");
  for (const [runId, ofRun] of groupBy(notes, ({ run }) => run)) {
    const bodies = ofRun.filter((note): note is Of<"ended"> => note.is === "ended");
    const made = new Set(bodies.map(({ call, value }) => `${call} ${value}`));
    const values = new Set(bodies.map(({ value }) => value));
    const entered = new Map(ofRun.flatMap((note, at) => (note.is === "called" ? [[note.call, at] as const] : [])));
    const recorded = new Map<string, { readonly value: string; readonly at: number }>();
    for (const [at, note] of ofRun.entries()) {
      if (note.is !== "saw" || made.has(`${note.call} ${note.value}`)) continue;
      const first = recorded.get(note.step) ?? { value: note.value, at };
      recorded.set(note.step, first);
      const real = !note.value.startsWith(`${note.step}#`) || values.has(note.value);
      same.look(real && first.value === note.value, () => `${runId} ${note.step}: ${first.value}, then ${note.value}`);
    }
    for (const [step, { at }] of recorded) {
      const again = ofRun.some(
        (note) => note.is === "began" && note.step === step && (entered.get(note.call) ?? 0) > at,
      );
      once.look(!again, () => `${runId} ${step}: was executed again`);
    }
    const view = views.get(runId);
    if (view?.status !== "Completed") continue;
    const returned = ofRun.some((note) => note.is === "returned" && note.output === view.output);
    output.look(returned, () => `${runId}: no handler returned ${String(view.output)}`);
    for (const [step, value] of Object.entries(outputOf(view.output))) {
      const right = recorded.get(step)?.value ?? value;
      output.look(right === value, () => `${runId} ${step}: recorded as ${right}, returned as ${String(value)}`);
    }
  }
  return [same.verdict(), once.verdict(), output.verdict()];
}
