/**
 * I4 to I7 when all is over: no run is stuck and no unit held, lists say what each run says of itself, what had ended stayed as it was, and
 * nothing happened before its time.
 */
import { hasEnded } from "../observe.ts";
import { PAUSE } from "../plan.ts";
import { type Campaign, Check, groupBy, type Verdict } from "./check.ts";
import { outputOf } from "./runs.ts";

/** The step after which the apps sleep, or wait for what does not come. */
const PAUSES = [
  { fns: ["sleeper", "dozer"], before: "before" },
  { fns: ["waits", "awaits"], before: "wait" },
] as const;
/** ms that this lasts. A clock may be read in the millisecond before. */
const LEAST = PAUSE * 1000 - 1;

/** All verdicts on I4, I5, I6 and I7. */
export function checkRest(campaign: Campaign): Verdict[] {
  return [stuck(campaign), leases(campaign), history(campaign), final(campaign), time(campaign)];
}

function stuck({ views, rested }: Campaign): Verdict {
  const check = new Check("I4", "each run: has ended, and everything was over in time");
  check.look(rested !== null, () => "The engine did not come to rest");
  for (const run of views.values())
    check.look(hasEnded(run), () => `${run.run_id} of ${run.function_slug} is ${run.status}`);
  return check.verdict();
}

function leases({ lines }: Campaign): Verdict {
  const check = new Check("I5", "each line: nothing held, nobody waiting");
  for (const { line, used, waiting } of lines) {
    check.look(used === 0 && waiting === 0, () => `${line}: ${used} held, ${waiting} waiting`);
  }
  return check.verdict();
}

function history({ listed, views, notes }: Campaign): Verdict {
  const check = new Check("I6", "each run: listed once, and as it shows itself");
  const { length } = listed;
  check.look(views.size === length, () => `${length} entries for ${views.size} runs`);
  for (const entry of listed) {
    const view: Readonly<Record<string, unknown>> = views.get(entry.run_id) ?? {};
    const differing = Object.entries(entry).filter(
      ([field, value]) => JSON.stringify(value) !== JSON.stringify(view[field]),
    );
    check.look(differing.length === 0, () => `${entry.run_id}: ${differing.map(([field]) => field).join(", ")} differ`);
  }
  for (const run of new Set(notes.map(({ run }) => run)))
    check.look(views.has(run), () => `${run} ran and is not listed`);
  return check.verdict();
}

function final({ witnessed, views }: Campaign): Verdict {
  const check = new Check("I6", "each run that was seen to have ended: ended like that");
  for (const [runId, status] of witnessed) {
    const now = views.get(runId)?.status;
    check.look(now === status, () => `${runId}: was ${status}, is ${now ?? "gone"}`);
  }
  return check.verdict();
}

function time({ notes, views }: Campaign): Verdict {
  const check = new Check("I7", "each sleep and time-out: not over before its time");
  const byRun = groupBy(notes, ({ run }) => run);
  for (const { fns, before } of PAUSES) {
    for (const [runId, ofRun] of byRun) {
      const after = ofRun.find((note) => note.is === "began" && note.step === "after");
      if (after === undefined || !fns.some((fn) => fn === after.fn)) continue;
      const recorded = outputOf(views.get(runId)?.output)[before];
      const from = ofRun.find(
        (note) =>
          note.is !== "called" &&
          note.is !== "returned" &&
          note.is !== "began" &&
          note.step === before &&
          note.value === recorded,
      );
      if (from === undefined) continue;
      check.look(after.at - from.at >= LEAST, () => `${runId}: only ${after.at - from.at} ms`);
    }
  }
  return check.verdict();
}
