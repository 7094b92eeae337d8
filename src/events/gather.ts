/**
 * Gathering: lets the events of a request that batch or debounce join their windows, in the order of the request (FC-24, FC-32). Owns which
 * events share a window and what their outcome is; the windows decide the rest. Guarantees that it can be repeated: an event that joined
 * stays where it is, and gets the same outcome. Writes no history.
 */
import type { RegisteredFunction } from "../apps/function.ts";
import type { Bindings } from "../bindings.ts";
import { GATHER } from "../limits.ts";
import { windowStub } from "../objects.ts";
import type { AcceptedEvent, EventOutcome, KeyWarning } from "./event.ts";
import type { Gathering, GatherKind, Join } from "./gathering.ts";
import { optionKey } from "./option-key.ts";
import { inParallel } from "./parallel.ts";

/** Where the windows are, and what the events have in common. */
export interface GatherContext {
  readonly bindings: Bindings;
  readonly environmentId: string;
  /** ms since 1970. */
  readonly now: number;
}

/** An event that is to join a window of a function. */
export interface Joining extends Gathering {
  readonly function: RegisteredFunction;
  readonly into: GatherKind;
}

/** Events of one request for one window, in their order. */
export interface Group {
  readonly kind: GatherKind;
  readonly function: RegisteredFunction;
  readonly key: string;
  readonly members: readonly Member[];
}

interface Member extends Gathering {
  /** Its position among all that join. */
  readonly at: number;
  /** Why the empty key is used (FC-41). */
  readonly warning: KeyWarning | null;
}

/** The windows that events join, each with its events. `now` in ms. */
export function groupsOf(all: readonly Joining[], now: number): Group[] {
  const groups = new Map<string, Group & { readonly members: Member[] }>();
  for (const [at, { event, parent, function: fn, into: kind }] of all.entries()) {
    const { key, warning } = keyOf(fn, kind, event, now);
    const name = `${fn.id}\n${kind}\n${key}`;
    const group = groups.get(name) ?? { kind, function: fn, key, members: [] };
    group.members.push({ event, parent, at, warning });
    groups.set(name, group);
  }
  return [...groups.values()];
}

/** The key's value and what is wrong with it, for one event (FC-26, FC-34). */
export function keyOf(fn: RegisteredFunction, kind: GatherKind, event: AcceptedEvent, now: number) {
  const { batchEvents, debounce } = fn.configuration;
  return kind === "batch"
    ? optionKey("batchEvents.key", batchEvents?.key ?? null, event.payload, now)
    : optionKey("debounce.key", debounce?.key ?? null, event.payload, now);
}

/** Lets all of them join. What became of each; throws when a window could not be reached, after the others have been. */
export async function gather(context: GatherContext, all: readonly Joining[]): Promise<readonly EventOutcome[]> {
  const { outcomes, failure } = await joinGroups(context, groupsOf(all, context.now));
  if (failure !== null) throw failure;
  return all.map((_, at) => {
    const outcome = outcomes.get(at);
    if (outcome === undefined) throw new Error("A window has not said what became of an event.");
    return outcome;
  });
}

/** What joining came to. */
export interface Joined {
  /** By position among all that join; those whose window could not be reached are missing. */
  readonly outcomes: ReadonlyMap<number, EventOutcome>;
  /** Why some are missing; null when none is. */
  readonly failure: Error | null;
}

/** Lets the groups join: side by side, each in its order. Never throws: what failed can be tried again. */
export async function joinGroups(context: GatherContext, groups: readonly Group[]): Promise<Joined> {
  const outcomes = new Map<number, EventOutcome>();
  let failure: Error | null = null;
  await inParallel(GATHER.parallel, groups, async (group) => {
    try {
      await joinGroup(context, group, outcomes);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
  });
  return { outcomes, failure };
}

/** Joins the window of one group, in as many calls as its size takes. */
async function joinGroup(
  { bindings, environmentId }: GatherContext,
  group: Group,
  outcomes: Map<number, EventOutcome>,
): Promise<void> {
  const { kind, function: fn, key } = group;
  const window = await windowStub(bindings, environmentId, kind, { functionId: fn.id, key });
  for (const members of portionsOf(group.members)) {
    const runIds = await window.join(joinOf(group, members));
    for (const [i, { at, warning }] of members.entries()) {
      outcomes.set(at, {
        functionId: fn.id,
        functionSlug: fn.slug,
        outcome: kind === "batch" ? "batched" : "debounced",
        runId: runIds[i] ?? "",
        ...(warning === null ? {} : { warnings: [warning] }),
      });
    }
  }
}

function joinOf({ kind, function: fn, key }: Group, members: readonly Gathering[]): Join {
  const { version, configuration } = fn;
  const events = members.map(({ event, parent }) => ({ event, parent }));
  const depth = Math.max(0, ...members.map(({ event }) => event.depth ?? 0));
  if (kind === "batch" && configuration.batchEvents !== null) {
    const { maxSize, timeout } = configuration.batchEvents;
    return { kind, events, key, depth, options: { version, maxSize, timeout } };
  }
  if (kind === "debounce" && configuration.debounce !== null) {
    const { period, timeout } = configuration.debounce;
    return { kind, events, key, depth, options: { version, period, timeout } };
  }
  throw new Error(`Function ${fn.slug} has no option "${kind}" to gather events by.`);
}

/** The members in their order, cut where the arguments of one call would get too large. */
function portionsOf(members: readonly Member[]): Member[][] {
  const portions: Member[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const member of members) {
    const length = JSON.stringify(member.event).length;
    if (size + length > GATHER.callSize) {
      portions.push([]);
      size = 0;
    }
    portions.at(-1)?.push(member);
    size += length;
  }
  return portions;
}
