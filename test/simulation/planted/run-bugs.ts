/** Defects of a single run: its fence, its memo, its alarm, its end. */
import type { PlantedBug } from "./plant.ts";

export const RUN_BUGS: readonly PlantedBug[] = [
  {
    name: "no-fence",
    file: "src/decide/run/state.ts",
    find: "return state.outcome === null && job !== undefined && job.generation === fence.generation;",
    replace: "return state.outcome === null && job !== undefined;",
    why: "The reply of a call that was given up is taken for the one of its successor.",
  },
  {
    name: "memo-overwritten",
    file: "src/decide/run/turn.ts",
    find: 'if (known?.status === "finished" || turn.state.outcome !== null) return false;',
    replace: "if (turn.state.outcome !== null) return false;",
    why: "A later result of a step replaces the recorded one (EX-4, EX-46).",
    suites: ["lives"],
  },
  {
    name: "attempt-not-reset",
    file: "src/decide/run/operations.ts",
    find: "  if (continues) discover(turn);",
    replace:
      '  if (continues) record(turn, { is: "queued", stepId: null, due: turn.moment.now, attempt: job.attempt });',
    why: "The next step has only the attempts that the one before it has left (EX-20).",
    suites: ["crash-points"],
  },
  {
    name: "timer-dropped",
    file: "durable-objects/run-alarm.ts",
    find: "    this.#at = null;\n    const watchdog",
    replace: "    const watchdog",
    why: "A run that has been woken believes that its alarm is still set, and never sets it again.",
  },
  {
    name: "alarm-throws",
    file: "durable-objects/run-core.ts",
    find: "    if (state.outcome !== null) {\n",
    replace:
      '    if (state.outcome !== null) {\n      if (!this.isOver(state)) throw new Error("A run that has ended was woken.");\n',
    why: "The platform gives up an alarm that keeps failing, and with it the end that nobody has heard of (row 8).",
  },
  {
    name: "no-outbox",
    file: "src/decide/run/effects.ts",
    find: "if (state.outcome !== null) return now + RUN.confirmation;",
    replace: "if (state.outcome !== null) return null;",
    why: "What follows from a run's end is not repeated when the run dies in the middle of it.",
    suites: ["lives"],
  },
  {
    name: "history-not-resent",
    file: "durable-objects/run-core.ts",
    find: "      return await this.effects.reporter.report(state);",
    replace: "      return;",
    why: "A report that the queue has lost is never sent again (I6).",
  },
  {
    name: "wait-registered-late",
    file: "src/runs/effects.ts",
    find: "if (!this.registrations.isSettled(state)) return this.#inBackground(this.#register(state));",
    replace: "if (!this.registrations.isSettled(state)) this.#inBackground(this.#register(state));",
    why: "A step that sends an event is called before the wait of its sibling is registered (EX-45).",
    suites: ["crash-points"],
  },
  {
    name: "wait-not-committed",
    file: "durable-objects/waits/event-waits.ts",
    find: "    this.#context.arm();\n    this.#context.inBackground(this.#deliver(offer));",
    replace: "    this.#context.inBackground(this.#deliver(offer));",
    why: "No alarm repeats an event to a run that could not be told.",
    suites: ["crash-points"],
  },
  {
    name: "cancel-ignored",
    file: "src/decide/run/cancellation.ts",
    find: '  if (counted !== known) record(turn, { is: "cancelling", cause: counted });',
    replace: '  if (counted !== known && executing.size === 0) record(turn, { is: "cancelling", cause: counted });',
    why: "A cancellation that comes while a call is in flight is forgotten (CR-1).",
  },
  {
    name: "discarded-result-kept",
    file: "src/decide/run/cancellation.ts",
    find: "  if (cancelling === null || outcome !== null) return false;",
    replace: '  if (cancelling === null || outcome !== null || input.kind === "reply") return false;',
    why: "A call that ends after its run was cancelled still counts (EX-11).",
    suites: ["crash-points"],
  },
  {
    name: "child-twice",
    file: "src/runs/invocation.ts",
    find: 'derivedUlid(at, "invoke", environmentId, runId, stepId)',
    replace: 'derivedUlid(at, "invoke", environmentId, runId, stepId, String(Date.now()))',
    why: "A child that is started again is another one (EX-55).",
    suites: ["lives"],
  },
];
