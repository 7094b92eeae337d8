/**
 * What the workload consists of: every function of the two apps, what each event leads to, and the limits that must hold. Data only, shared
 * by the app, the client and the checks, which are three programs that trust each other in nothing else.
 */

/** Ids of the apps: functions of SDK v4, checkpointing as it does by itself, and of v3. */
export const APPS = { v4: "crash-v4", v3: "crash-v3" } as const;

/** How runs of a function may end. */
export interface Expectation {
  readonly app: keyof typeof APPS;
  readonly statuses: readonly ("Completed" | "Failed" | "Cancelled" | "Skipped")[];
  /** Events join windows: the run's trigger may be another one. */
  readonly gathers?: "batch" | "debounce";
  /** Has `runs[0]` for events that were skipped, but only for this reason. */
  readonly skips?: "rate_limited" | "singleton" | "function_paused";
}

const done = { statuses: ["Completed"] } as const;
const stopped = { statuses: ["Cancelled"] } as const;

/** Functions by id; the event `crash/<id>` starts each. */
export const FUNCTIONS = {
  steps: { app: "v4", ...done },
  plain: { app: "v3", ...done },
  parallel: { app: "v4", ...done },
  branches: { app: "v3", ...done },
  sleeper: { app: "v4", ...done },
  dozer: { app: "v3", ...done },
  waits: { app: "v4", ...done },
  awaits: { app: "v3", ...done },
  retried: { app: "v4", ...done },
  fails: { app: "v3", statuses: ["Failed"] },
  parent: { app: "v4", ...done },
  child: { app: "v3", ...done },
  sender: { app: "v4", ...done },
  receiver: { app: "v3", ...done },
  cancellable: { app: "v4", ...stopped },
  stoppable: { app: "v3", ...stopped },
  limited: { app: "v4", ...done },
  keyed: { app: "v3", ...done },
  shared: { app: "v4", ...done },
  throttled: { app: "v4", ...done },
  debounced: { app: "v4", ...done, gathers: "debounce" },
  batched: { app: "v3", ...done, gathers: "batch" },
  rated: { app: "v4", ...done, skips: "rate_limited" },
  single: { app: "v4", ...done, skips: "singleton" },
  replacing: { app: "v3", statuses: ["Completed", "Cancelled"] },
  pausable: { app: "v4", ...done, skips: "function_paused" },
  burst: { app: "v4", ...done },
} as const satisfies Record<string, Expectation>;

export type FunctionId = keyof typeof FUNCTIONS;

/** As {@link FUNCTIONS}, for reading by any name. */
export const EXPECTED: ReadonlyMap<string, Expectation> = new Map(Object.entries(FUNCTIONS));

/** The full slug of a function. */
export function slugOf(id: string): string {
  return `${APPS[EXPECTED.get(id)?.app ?? "v4"]}-${id}`;
}

/** The function an event of the workload starts; null for other events. */
export function functionOf(eventName: string): FunctionId | null {
  const id = eventName.startsWith("crash/") ? eventName.slice("crash/".length) : "";
  return EXPECTED.has(id) ? (id as FunctionId) : null;
}

/** Limits that must hold. Periods in s; `holds` of a step names the limit it uses. */
export const LIMITS = {
  limited: 3,
  shared: 2,
  throttle: { limit: 2, period: 2 },
  rate: { limit: 2, period: 4 },
  batch: { maxSize: 5, timeout: 1 },
  debounce: 1,
} as const;

/** How many bodies may hold a name at one instant: `limited`, `shared`, `keyed <k>`. */
export function limitOf(held: string): number {
  if (held === "limited") return LIMITS.limited;
  if (held === "shared") return LIMITS.shared;
  return 1;
}

/** Values of `data.k`. */
export const KEYS = ["A", "B", "C"] as const;

/** Seconds that every sleep lasts, and after which nobody waits any more for what does not come. */
export const PAUSE = 1;
