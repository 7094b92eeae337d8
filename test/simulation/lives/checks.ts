/**
 * What must hold of a schedule of lives: every invariant that its plan does not excuse, and what clients were promised.
 */
import { LOCAL } from "../../../src/environments/environment.ts";
import { exceeded, type Limit } from "../checks/limits.ts";
import { crossed, disagreeing, disturbed, invented, leaked, rewritten, stuck } from "../checks/runs.ts";
import { lost, misinvoked, type Span, unannounced } from "../checks/starts.ts";
import { hasty, impatient, late, missed, unheard } from "../checks/time.ts";
import type { Done } from "../deeds.ts";
import type { Rest } from "../rest.ts";
import type { WorldFunction } from "../world-function.ts";
import { membersOf } from "./functions.ts";
import { NEIGHBOUR, type Plan } from "./plan.ts";
import { broken } from "./promises.ts";

/** What is left of a schedule, and what led to it. `peaceAt`: when nothing went wrong any more, ms. */
export interface LivesRest extends Rest {
  readonly plan: Plan;
  readonly deeds: readonly Done[];
  readonly peaceAt: number;
}

/** ms that messages of a calm schedule take at most on their way through several objects. */
export const WAY = 60;
/** ms for which calls of a troubled one may be on their way: slow queries, and instances that were replaced without knowing. */
const TROUBLED_WAY = 60_000;
/** ms until every isolate knows what the catalog knows. */
export const CATALOG_AGE = 4000;

/** What is wrong, in words. */
export function checkLives(rest: LivesRest): string[] {
  const { plan } = rest;
  const functions = membersOf(plan.cast);
  return [
    ...stuck(rest),
    ...lost(rest, functions, awayIn(rest.deeds)),
    ...misinvoked(rest, functions),
    ...unannounced(rest, plan.cast.listener),
    ...rewritten(rest),
    ...invented(rest),
    ...disagreeing(rest),
    ...disturbed(rest, plan.calm ? WAY : TROUBLED_WAY),
    ...exceeded(rest.ledger, limitsOf(rest), WAY),
    ...leaked(rest),
    ...crossed(rest, LOCAL.id),
    ...hasty(rest, functions),
    ...impatient(rest, functions),
    ...unheard(rest, functions, plan.calm ? WAY : TROUBLED_WAY),
    ...(plan.calm ? missed(rest, functions, CATALOG_AGE + WAY) : []),
    ...(plan.calm
      ? late(
          rest,
          functions.filter((fn) => isFree(fn, rest.deeds)),
          WAY,
        )
      : []),
    ...broken(rest),
  ];
}

/** The same of the second environment, to which clients only send. */
export function checkNeighbour(rest: Rest, plan: Plan): string[] {
  const functions = membersOf(plan.cast);
  return [
    ...stuck(rest),
    ...lost(rest, functions, new Map()),
    ...misinvoked(rest, functions),
    ...rewritten(rest),
    ...disagreeing(rest),
    ...crossed(rest, NEIGHBOUR.id),
    ...exceeded(rest.ledger, limitsOf({ plan, deeds: [] }), WAY),
    ...hasty(rest, functions),
  ];
}

/** The concurrency limits of the plan; where a sync has changed one, the highest counts (FC-11). */
function limitsOf({ plan, deeds }: Pick<LivesRest, "plan" | "deeds">): Limit[] {
  const changes = deeds.flatMap(({ deed }) => (deed.kind === "register" ? deed.functions : []));
  return plan.cast.workers.flatMap(({ id, options }) => {
    const own = [options, ...changes.filter((one) => one.id === id).map((one) => one.options)].map(limitIn);
    if (own.includes(null)) return [];
    const keyed = own.some((limit) => limit?.keyed === true);
    const slug = `sim-${id}`;
    return [{ functions: [slug], limits: { [slug]: Math.max(...own.map((limit) => limit?.limit ?? 0)) }, keyed }];
  });
}

function limitIn({ concurrency }: WorldFunction["options"]): { limit: number; keyed: boolean } | null {
  const [first] = (concurrency ?? []) as readonly { limit: number; key?: string }[];
  return first === undefined ? null : { limit: first.limit, keyed: first.key !== undefined };
}

/** When functions were, or may have been, paused or removed. */
function awayIn(deeds: readonly Done[]): Map<string, Span[]> {
  const away = new Map<string, Span[]>();
  const add = (slug: string, from: number, until: number) => {
    away.set(slug, [...(away.get(slug) ?? []), { from, until: until + CATALOG_AGE }]);
  };
  for (const { deed, at } of deeds) {
    if (deed.kind === "pause") add(deed.function, at, endOf(deeds, "resume", at));
    if (deed.kind !== "register") continue;
    const known = new Set(deed.functions.map(({ id }) => id));
    for (const slug of ["w0", "w1", "w2"]) if (!known.has(slug)) add(`sim-${slug}`, at, endOf(deeds, "register", at));
  }
  return away;
}

function endOf(deeds: readonly Done[], kind: "resume" | "register", at: number): number {
  return deeds.find((done) => done.deed.kind === kind && done.at > at)?.answeredAt ?? Number.POSITIVE_INFINITY;
}

/** Whether nothing holds runs of a function back: no limit, no pause, no change. */
function isFree({ options, id }: WorldFunction, deeds: readonly Done[]): boolean {
  const touched = deeds.some(
    ({ deed }) => deed.kind === "register" || ("function" in deed && deed.function === `sim-${id}`),
  );
  return !("concurrency" in options) && !touched;
}
