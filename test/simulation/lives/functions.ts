/**
 * The functions of a schedule, drawn from its seed: what their steps do, how long bodies take, how often they fail, what limits them.
 * Pure. Bodies last up to minutes, so that engines, leases and connections die before them.
 */
import type { JsonObject } from "../../../src/json.ts";
import type { Random } from "../platform/random.ts";
import type { Part, SinglePart } from "../program.ts";
import type { WorldFunction } from "../world-function.ts";

/** Functions by what they are for. `workers` have an event each, `child` is only invoked, `listener` hears of every end. */
export interface Cast {
  readonly workers: readonly WorldFunction[];
  readonly child: WorldFunction | null;
  readonly listener: WorldFunction | null;
}

/** What waits wait for, and what cancels. */
export const GO = "sim/go";
export const STOP = "sim/stop";
export const FINISHED = "inngest/function.finished";

/** Draws them. `troubled`: bodies may fail. */
export function castOf(random: Random, troubled: boolean): Cast {
  const child: WorldFunction | null = random.chance(0.5)
    ? { id: "child", parts: partsOf(random, { troubled, others: [] }), options: {}, ...settingsOf(random) }
    : null;
  const count = random.integer(1, 3);
  const workers = Array.from({ length: count }, (_, n): WorldFunction => {
    // Events go to later functions only: no chain of them closes.
    const later = Array.from({ length: count - n - 1 }, (_, ahead) => `sim/w${n + ahead + 1}`);
    const parts = partsOf(random, {
      troubled,
      others: [GO, ...later],
      ...(child === null ? {} : { child: "sim-child" }),
    });
    return { id: `w${n}`, event: `sim/w${n}`, parts, options: optionsOf(random), ...settingsOf(random) };
  });
  const listens = random.chance(0.3);
  const listener = listens ? { id: "end", event: FINISHED, parts: [body("p", 1)], options: {}, retries: 3 } : null;
  return { workers, child, listener };
}

/** All functions of a cast. */
export function membersOf({ workers, child, listener }: Cast): WorldFunction[] {
  return [...workers, child, listener].filter((one) => one !== null);
}

function settingsOf(random: Random): Pick<WorldFunction, "checkpoints" | "retries"> {
  return { checkpoints: random.chance(0.5), retries: random.integer(0, 3) };
}

function optionsOf(random: Random): JsonObject {
  const limited = random.chance(0.5);
  const keyed = random.chance(0.4);
  const concurrency = [{ limit: random.integer(1, 2), ...(keyed ? { key: "event.data.key" } : {}) }];
  const cancel = [{ event: STOP, if: "async.data.key == event.data.key" }];
  const timeouts = random.pick<JsonObject>([{ start: "20s" }, { finish: "15s" }, { start: "10s", finish: "40s" }]);
  return {
    ...(limited ? { concurrency } : {}),
    ...(random.chance(0.4) ? { cancel } : {}),
    ...(random.chance(0.15) ? { timeouts } : {}),
  };
}

interface Surroundings {
  readonly troubled: boolean;
  /** Events that steps may send. */
  readonly others: readonly string[];
  readonly child?: string;
}

function partsOf(random: Random, surroundings: Surroundings): Part[] {
  return Array.from({ length: random.integer(1, 4) }, (_, n): Part => {
    const kind = random.next();
    if (kind < 0.06) return waitedForBySibling(random, `p${n}`);
    if (kind < 0.15) {
      const steps = Array.from({ length: random.integer(2, 3) }, (_, at) =>
        single(random, `p${n}.${at}`, surroundings),
      );
      return { kind: "parallel", steps };
    }
    if (kind < 0.2 && surroundings.troubled) return { kind: "throw", id: `p${n}`, fails: random.integer(1, 2) };
    return single(random, `p${n}`, surroundings);
  });
}

/** A step that sends what its sibling waits for (EX-45). */
function waitedForBySibling(random: Random, id: string): Part {
  const wait = { kind: "wait", id: `${id}.0`, event: GO, keyed: random.chance(0.7), ms: 90_000 } as const;
  return { kind: "parallel", steps: [wait, { ...body(`${id}.1`, random.integer(1, 300)), sends: GO }] };
}

function single(random: Random, id: string, { troubled, others, child }: Surroundings): SinglePart {
  const kind = random.next();
  const caught = random.chance(0.5);
  if (kind < 0.55) {
    const fails = troubled && random.chance(0.25) ? random.integer(1, 4) : 0;
    const sends = random.chance(0.15) ? others[random.integer(0, others.length - 1)] : undefined;
    return { ...body(id, lengthOf(random)), caught, fails, ...(sends === undefined ? {} : { sends }) };
  }
  if (kind < 0.7) return { kind: "sleep", id, ms: random.chance(0.1) ? 150_000 : random.integer(100, 15_000) };
  if (kind < 0.88) {
    return {
      kind: "wait",
      id,
      event: GO,
      keyed: random.chance(0.7),
      ms: random.integer(500, random.pick([4000, 60_000, 120_000])),
    };
  }
  if (kind < 0.92) return { kind: "signal", id, signal: "s", ms: random.integer(500, 30_000) };
  if (child === undefined) return body(id, lengthOf(random));
  return { kind: "invoke", id, function: child, ms: random.integer(1000, random.pick([5000, 300_000])), caught };
}

/** ms of a body: mostly short, some longer than the engine trusts a lost call to have ended, few longer than most leases. */
function lengthOf(random: Random): number {
  const length = random.next();
  if (length < 0.55) return random.integer(1, 300);
  if (length < 0.92) return random.integer(300, 4500);
  return random.integer(5000, 50_000);
}

function body(id: string, ms: number) {
  return { kind: "run", id, ms } as const;
}
