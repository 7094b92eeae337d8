/**
 * What happens in one schedule: functions with limits, events, kills and broken messages, all drawn from the seed. Pure.
 */
import type { JsonObject } from "../../../src/json.ts";
import type { AppFaults } from "../app.ts";
import type { Limit } from "../checks/limits.ts";
import { faultsOf, NO_FAULTS } from "../platform/faults.ts";
import type { Random } from "../platform/random.ts";
import type { Part } from "../program.ts";
import type { Faults } from "../world.ts";
import type { WorldFunction } from "../world-function.ts";
import { type Windowed, windowedOf } from "./windows.ts";

/** How a function is limited in its starts; times in ms. */
export interface Throttle {
  readonly function: string;
  readonly limit: number;
  readonly period: number;
  readonly burst: number;
  readonly keyed: boolean;
}

/** A schedule. `exact`: functions of which every event has a run of its own. Times are ms from its beginning. */
export interface Plan {
  readonly functions: readonly WorldFunction[];
  readonly limits: readonly Limit[];
  readonly throttles: readonly Throttle[];
  readonly exact: readonly string[];
  readonly windowed: readonly Windowed[];
  readonly sends: readonly { readonly at: number; readonly event: string; readonly data: JsonObject }[];
  readonly kills: readonly { readonly at: number; readonly downtime: number }[];
  readonly faults: Faults;
  /** Functions whose runs must begin in the order of their events: one limit, no failures, nothing broken. */
  readonly ordered: readonly string[];
}

/** ms in which events come and things go wrong. */
export const TROUBLE = 20_000;

/** Draws a schedule. */
export function planOf(random: Random): Plan {
  const shared = random.chance(0.4);
  const functions: WorldFunction[] = [];
  const limits: Limit[] = [];
  const throttles: Throttle[] = [];
  const scope = random.pick(["env", "account"]);
  const sharing: Record<string, number> = {};
  const sound = random.chance(0.34);
  const ordered: string[] = [];
  const exact: string[] = [];
  const windowed: Windowed[] = [];
  for (let n = 0; n < random.integer(1, 3); n++) {
    const id = `f${n}`;
    if (random.chance(0.3)) {
      const { fn, promise } = windowedOf(random, id);
      functions.push(fn);
      windowed.push(promise);
      continue;
    }
    exact.push(`sim-${id}`);
    const options: Record<string, JsonObject | JsonObject[]> = {};
    const concurrency: JsonObject[] = [];
    if (shared) {
      sharing[`sim-${id}`] = random.integer(1, 4);
      concurrency.push({ scope, key: '"shared"', limit: sharing[`sim-${id}`] ?? 1 });
    }
    if (random.chance(0.7)) {
      const keyed = random.chance(0.5);
      const limit = random.integer(1, 3);
      concurrency.push({ limit, ...(keyed ? { key: "event.data.key" } : {}) });
      limits.push({ functions: [`sim-${id}`], limits: { [`sim-${id}`]: limit }, keyed });
    }
    if (concurrency.length > 0) options["concurrency"] = concurrency;
    if (random.chance(0.25)) {
      const keyed = random.chance(0.5);
      const throttle = {
        limit: random.integer(1, 2),
        period: random.integer(1, 5) * 1000,
        burst: random.integer(1, 3),
      };
      // Behind another limit a start that was let through may come later, and then nearer to the next.
      if (concurrency.length === 0) throttles.push({ function: `sim-${id}`, ...throttle, keyed });
      const key = keyed ? { key: "event.data.key" } : {};
      options["throttle"] = {
        limit: throttle.limit,
        period: `${throttle.period / 1000}s`,
        burst: throttle.burst,
        ...key,
      };
    }
    const parts = partsOf(random, sound);
    functions.push({ id, event: `sim/${id}`, parts, options, retries: 10, checkpoints: random.chance(0.3) });
    if (sound && concurrency.length === 1 && !shared && options["throttle"] === undefined) ordered.push(`sim-${id}`);
  }
  if (shared) limits.push({ functions: Object.keys(sharing), limits: sharing, keyed: false });
  return {
    functions,
    limits,
    throttles,
    exact,
    windowed,
    ordered,
    sends: sendsOf(random, functions),
    kills: sound ? [] : killsOf(random),
    faults: sound || random.chance(0.3) ? NO_FAULTS : slowed(random, { ...faultsOf(random), app: appFaultsOf(random) }),
  };
}

function partsOf(random: Random, sound: boolean): Part[] {
  const parts: Part[] = [];
  for (let n = 0; n < random.integer(1, 4); n++) {
    const id = `p${n}`;
    const kind = random.next();
    if (kind < 0.6) {
      parts.push({ kind: "run", id, ms: lengthOf(random), fails: !sound && random.chance(0.2) ? 1 : 0 });
    } else if (kind < 0.8) {
      parts.push({ kind: "sleep", id, ms: random.integer(100, 5000) });
    } else {
      const steps = Array.from({ length: random.integer(2, 4) }, (_, at) => ({
        kind: "run" as const,
        id: `${id}.${at}`,
        ms: random.integer(1, 300),
      }));
      parts.push({ kind: "parallel", steps });
    }
  }
  return parts;
}

/** ms of a body: mostly short, some longer than a lost call is waited for. */
function lengthOf(random: Random): number {
  const length = random.next();
  return length < 0.85 ? random.integer(1, 300) : random.integer(300, length < 0.97 ? 4500 : 20_000);
}

/** Some calls take effect long after their callers gave them up. */
function slowed(random: Random, faults: Faults): Faults {
  return { ...faults, calls: { ...faults.calls, late: random.pick([0, 0.02, 0.05]) } };
}

/** Rare enough that no run fails of them. */
function appFaultsOf(random: Random): AppFaults {
  return { broken: random.pick([0, 0, 0.03]), silent: random.pick([0, 0, 0.03]), doubled: random.pick([0, 0, 0.05]) };
}

function sendsOf(random: Random, functions: readonly WorldFunction[]): Plan["sends"] {
  const keys = random.integer(1, 3);
  return Array.from({ length: random.integer(3, 24) }, (_, n) => {
    const event = functions[random.integer(0, functions.length - 1)]?.event ?? "";
    return { at: random.integer(0, TROUBLE), event, data: { n, key: `k${random.integer(1, keys)}` } };
  });
}

function killsOf(random: Random): Plan["kills"] {
  const kills = Array.from({ length: random.integer(0, 4) }, () => random.integer(0, TROUBLE));
  return kills.map((at) => ({ at, downtime: random.integer(20, 2000) }));
}
