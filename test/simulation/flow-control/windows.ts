/**
 * Functions whose events pass a window: batches, debounce, rate limits, singletons. Owns how they are drawn, and what must hold of them
 * whatever went wrong: nothing lost, nothing doubled, no limit exceeded.
 */
import type { JsonObject } from "../../../src/json.ts";
import type { Execution } from "../app.ts";
import type { Random } from "../platform/random.ts";
import type { WorldFunction } from "../world-function.ts";
import type { Rest } from "./checks.ts";

/** ms that messages of an untroubled schedule take at most on their way through several objects. */
export const WAY = 30;

/** What a function with a window promises. `keyed`: each value of `data.key` for itself. Times in ms. */
export type Windowed = { readonly function: string; readonly keyed: boolean } & (
  | { readonly kind: "batch"; readonly size: number }
  | { readonly kind: "debounce" }
  | { readonly kind: "rate-limit"; readonly limit: number; readonly period: number }
  | { readonly kind: "idempotency" }
  | { readonly kind: "singleton" }
);

/** Draws one of them. */
export function windowedOf(random: Random, id: string): { readonly fn: WorldFunction; readonly promise: Windowed } {
  const keyed = random.chance(0.6);
  const key: JsonObject = keyed ? { key: "event.data.key" } : {};
  const own = { function: `sim-${id}`, keyed };
  const fn = (options: JsonObject, ms: number): WorldFunction => {
    return { id, event: `sim/${id}`, parts: [{ kind: "run", id: "p0", ms }], options };
  };
  switch (random.pick(["batch", "debounce", "rate-limit", "idempotency", "singleton"])) {
    case "batch": {
      const size = random.integer(2, 5);
      const options = { batchEvents: { maxSize: size, timeout: `${random.integer(1, 4)}s`, ...key } };
      return { fn: fn(options, 20), promise: { ...own, kind: "batch", size } };
    }
    case "debounce":
      return {
        fn: fn({ debounce: { period: `${random.integer(1, 3)}s`, ...key } }, 20),
        promise: { ...own, kind: "debounce" },
      };
    case "rate-limit": {
      const [limit, seconds] = [random.integer(1, 3), random.integer(1, 8)];
      const options = { rateLimit: { limit, period: `${seconds}s`, ...key } };
      return { fn: fn(options, 20), promise: { ...own, kind: "rate-limit", limit, period: seconds * 1000 } };
    }
    case "idempotency":
      return {
        fn: fn({ idempotency: "event.data.key" }, 20),
        promise: { function: `sim-${id}`, keyed: true, kind: "idempotency" },
      };
    case "singleton":
      return { fn: fn({ singleton: { mode: "skip", ...key } }, 400), promise: { ...own, kind: "singleton" } };
  }
}

/** What the promises of these functions were broken by. */
export function broken(rest: Rest, promises: readonly Windowed[], calm: boolean): string[] {
  return promises.flatMap((promise) => brokenBy(rest, promise, calm));
}

function brokenBy(rest: Rest, promise: Windowed, calm: boolean): string[] {
  const runs = runsOf(rest, promise.function);
  const accepted = [...rest.accepted].filter(([, { functionId }]) => functionId === promise.function);
  const perKey = <T>(of: readonly T[], keyOf: (one: T) => unknown): T[][] => {
    const groups = new Map<unknown, T[]>();
    for (const one of of) {
      const key = promise.keyed ? keyOf(one) : "";
      groups.set(key, [...(groups.get(key) ?? []), one]);
    }
    return [...groups.values()];
  };
  const groups = perKey(runs, ({ data }) => data["key"]);
  const said = (what: string) => `${promise.kind} of ${promise.function}: ${what}`;
  switch (promise.kind) {
    case "batch": {
      const members = runs.flatMap(({ events }) => events);
      const doubled = members.length !== new Set(members).size;
      const missing = accepted.filter(([id]) => !members.includes(id)).map(([id]) => said(`event ${id} is in no run`));
      const large = runs.filter(({ events }) => events.length > promise.size).map(() => said("a batch is too large"));
      return [...missing, ...large, ...(doubled ? [said("an event is in two runs")] : [])];
    }
    case "debounce": {
      const last = perKey(accepted, ([, { key }]) => key).map((events) => events.at(-1)?.[0] ?? "");
      const won = new Set(runs.flatMap(({ events }) => events));
      return last.filter((id) => !won.has(id)).map((id) => said(`the last event ${id} did not win`));
    }
    case "rate-limit":
      return [
        ...groups.flatMap((own) => (own.length > accepted.length ? [said("more runs than events")] : [])),
        ...perKey(accepted, ([, { key }]) => key).flatMap((events) => {
          const any = events.some(([id]) => runs.some((run) => run.events.includes(id)));
          return any ? [] : [said("nothing passed")];
        }),
        // What is late because of a crash may come together with the next.
        ...(calm ? groups.flatMap((own) => crowded(own, promise.period - WAY, 2 * promise.limit - 1).map(said)) : []),
      ];
    case "idempotency":
      return [
        ...groups.filter((own) => own.length !== 1).map((own) => said(`${own.length} runs of one key`)),
        ...(perKey(accepted, ([, { key }]) => key).length === groups.length ? [] : [said("a key has no run")]),
      ];
    case "singleton":
      return groups.flatMap((own) => {
        const sorted = own.toSorted((a, b) => a.from - b.from);
        return sorted.flatMap((run, at) => {
          const next = sorted[at + 1];
          return next !== undefined && next.from < run.until ? [said(`two runs at ${next.from.toFixed(1)}`)] : [];
        });
      });
  }
}

/** The runs of a function: their events, first beginning and last end. */
function runsOf({ ledger }: Rest, functionId: string): Execution[] {
  const runs = new Map<string, Execution>();
  for (const one of ledger) {
    if (one.functionId !== functionId || one.isShadow) continue;
    const known = runs.get(one.runId);
    runs.set(one.runId, known === undefined ? one : { ...known, until: Math.max(known.until, one.until) });
  }
  return [...runs.values()];
}

function crowded(runs: readonly Execution[], period: number, most: number): string[] {
  return runs.flatMap(({ from }) => {
    const inside = runs.filter((other) => other.from >= from && other.from < from + period);
    return inside.length <= most ? [] : [`${inside.length} starts from ${from.toFixed(1)} on`];
  });
}
