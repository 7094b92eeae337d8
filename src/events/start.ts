/**
 * Starting one run of a function: gates 6 to 9 of spec/05 and the run's birth. What routing and the closing of a batch or debounce window
 * have in common. Guarantees that all of it can be repeated: the same run id gets the same answer and is born once.
 */
import type { RegisteredFunction } from "../apps/function.ts";
import type { Bindings } from "../bindings.ts";
import type { RunIdentity } from "../decide/run/identity.ts";
import { runStub } from "../objects.ts";
import { settingsOf } from "../settings.ts";
import { chainWarnings } from "./chain.ts";
import type { AcceptedEvent, EventOutcome, RoutedEvent } from "./event.ts";
import { type FlowPlan, flowOf } from "./flow.ts";
import { type Applicant, makeWay, passGates, type Verdict } from "./gates.ts";
import type { Parent } from "./gathering.ts";
import { type Skipped, skip } from "./skip.ts";

/** A start that nothing has decided against yet. */
export interface Candidate extends Omit<Applicant, "functionId"> {
  readonly function: RegisteredFunction;
  /** What the run gets. Keys look at the first event (FC-41). */
  readonly events: readonly [AcceptedEvent, ...AcceptedEvent[]];
  /** The steps of other runs that wait for it (EX-50). */
  readonly parents: readonly Parent[];
  /** How many runs led here (SE-18). */
  readonly depth: number;
}

/** A candidate with what the gates said. */
export interface Judged {
  readonly candidate: Candidate;
  readonly plan: FlowPlan;
  readonly verdict: Verdict;
}

/** What became of a start. */
type Started =
  | { readonly started: true; readonly outcome: EventOutcome }
  /** The caller stores what it left. */
  | ({ readonly started: false } & Skipped)
  /** Only for `wanted` runs: a singleton keeps it waiting. Nothing has happened; ask again. */
  | { readonly started: "busy" };

/** What flow control says about a start of the function that is created at `now` (ms) with this first event. */
export function planOf(bindings: Bindings, fn: RegisteredFunction, event: AcceptedEvent, now: number): FlowPlan {
  return flowOf(fn, event.payload, { now, ceiling: settingsOf(bindings).maxConcurrency });
}

/** Gates 6 and 7. Throws when a window could not be reached. */
export async function judge(
  bindings: Bindings,
  environmentId: string,
  candidate: Candidate,
  plan: FlowPlan,
): Promise<Judged> {
  const applicant = { ...candidate, functionId: candidate.function.id };
  return { candidate, plan, verdict: await passGates(bindings, environmentId, applicant, plan.gates) };
}

/** Creates the run; the runs it replaces are cancelled first. Resolves when it is durable. */
export async function begin(
  bindings: Bindings,
  environmentId: string,
  { candidate, plan, verdict }: Judged,
  identity: RunIdentity,
): Promise<void> {
  if (verdict.verdict === "passed" && verdict.replaced.length > 0) {
    const applicant = { ...candidate, functionId: candidate.function.id };
    await makeWay(bindings, environmentId, applicant, plan.gates, verdict.replaced);
  }
  await runStub(bindings, environmentId, candidate.runId).start(identity);
}

/**
 * The whole way from gate 6 to the created run, for events that were stored when they joined their window. `now` in ms. Resolves when the
 * run is durable, or when those who wait for it know that there is none.
 */
export async function startGatheredRun(
  bindings: Bindings,
  environmentId: string,
  candidate: Candidate,
  now: number,
): Promise<Started> {
  const plan = planOf(bindings, candidate.function, candidate.events[0], now);
  if (candidate.function.paused !== null) {
    return { started: false, ...(await skip(bindings, environmentId, candidate, plan, "function_paused", now)) };
  }
  const judged = await judge(bindings, environmentId, candidate, plan);
  const { verdict } = judged;
  if (verdict.verdict === "busy") return { started: "busy" };
  if (verdict.verdict === "skipped") {
    return { started: false, ...(await skip(bindings, environmentId, candidate, plan, verdict.reason, now)) };
  }
  const events = candidate.events.map((event) => ({ event, outcomes: [], duplicate: false }));
  const identity = identityOf(environmentId, candidate, plan, events, now);
  // Its window has waited for it: an event of the future does not wait once more (EV-10).
  await begin(bindings, environmentId, judged, { ...identity, startAt: plan.notBefore, gathered: true });
  return { started: true, outcome: startedOutcome(candidate, plan) };
}

/** What the run is born with. It does not start before the first event's `ts` (EV-10), nor before its priority lets it (FC-31). */
export function identityOf(
  environmentId: string,
  { runId, function: fn, events: [first], parents, depth }: Candidate,
  { flow, notBefore }: Pick<FlowPlan, "flow" | "notBefore">,
  events: readonly RoutedEvent[],
  now: number,
): RunIdentity {
  const { id, slug, name, version, app, configuration } = fn;
  return {
    environmentId,
    runId,
    app: { id: app.id, name: app.name },
    function: { id, slug, name, version },
    retries: configuration.retries,
    events,
    queuedAt: now,
    startAt: Math.max(notBefore, first.payload.ts),
    depth,
    parent: parents[0] ?? null,
    ...(parents.length > 1 ? { otherParents: parents.slice(1) } : {}),
    originalRunId: null,
    ...(flow === undefined ? {} : { flow }),
  };
}

/** The outcome of a candidate whose run is created. */
export function startedOutcome(candidate: Candidate, plan: FlowPlan): EventOutcome {
  const {
    function: { id, slug },
    runId,
    depth,
  } = candidate;
  const warnings = [...plan.warnings, ...chainWarnings(depth)];
  return {
    functionId: id,
    functionSlug: slug,
    outcome: "started",
    runId,
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}
