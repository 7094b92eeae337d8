/**
 * Small scenarios, each the whole of one feature, in which exactly one thing goes wrong (rows 1, 24). Owns what happens in each and
 * what must have come of it, whatever went wrong; that nothing is lost, doubled, stuck or held is checked of all of them alike.
 */
import { LOCAL } from "../../../src/environments/environment.ts";
import { cancelRun } from "../../../src/runs/cancel.ts";
import type { Rest } from "../rest.ts";
import type { World } from "../world.ts";
import type { WorldFunction } from "../world-function.ts";

/** One scenario. */
export interface Scenario {
  readonly name: string;
  readonly functions: readonly WorldFunction[];
  /** What clients do, from now on. */
  readonly act: (world: World) => void;
  /** What is wrong with what came of it. */
  readonly check: (rest: Rest) => string[];
  /** What runs end as. */
  readonly ends: "completed" | "cancelled";
  /** Executions allowed at once, by slug. */
  readonly limits?: Readonly<Record<string, number>>;
}

/** ms; longer than anything that went wrong takes to be mended. */
const LONG = 20 * 60_000;
const GO = "sim/go";

const event = (world: World, at: number, name: string, id: string | null = null) =>
  world.agenda.after(at, () => world.send([world.event(name, { key: "k" }, id)]), null, "outside");

const racing: WorldFunction = {
  id: "f",
  event: "sim/f",
  parts: [
    {
      kind: "race",
      steps: [
        { kind: "run", id: "a", ms: 200 },
        { kind: "run", id: "b", ms: 14_000 },
      ],
    },
  ],
  options: { concurrency: [{ limit: 2 }] },
};

export const SCENARIOS: readonly Scenario[] = [
  {
    // Each step has attempts of its own.
    name: "steps, failures and a sleep",
    functions: [
      {
        id: "f",
        event: "sim/f",
        parts: [
          { kind: "run", id: "a", ms: 50, fails: 2 },
          { kind: "run", id: "b", ms: 50, fails: 2 },
          { kind: "sleep", id: "c", ms: 2000 },
          { kind: "run", id: "d", ms: 50 },
        ],
        options: {},
        retries: 2,
      },
    ],
    act: (world) => event(world, 10, "sim/f"),
    check: (rest) => count(rest, "sim-f", 1),
    ends: "completed",
  },
  {
    name: "checkpoints",
    functions: [
      {
        id: "f",
        event: "sim/f",
        parts: [1, 2, 3].map((n) => ({ kind: "run" as const, id: `a${n}`, ms: 100 })),
        options: {},
        checkpoints: true,
      },
    ],
    act: (world) => event(world, 10, "sim/f"),
    check: (rest) => count(rest, "sim-f", 1),
    ends: "completed",
  },
  {
    // Long enough that those who wait trust their line to call.
    name: "parallel steps under two limits",
    functions: [
      {
        id: "f",
        event: "sim/f",
        parts: [{ kind: "parallel", steps: [1, 2].map((n) => ({ kind: "run" as const, id: `a${n}`, ms: 12_000 })) }],
        options: { concurrency: [{ limit: 1 }, { limit: 1, scope: "env", key: '"all"' }] },
      },
    ],
    act: (world) => {
      event(world, 10, "sim/f");
      event(world, 50, "sim/f");
    },
    check: (rest) => count(rest, "sim-f", 2),
    ends: "completed",
    limits: { "sim-f": 1 },
  },
  {
    name: "short steps under two limits",
    functions: [
      {
        id: "f",
        event: "sim/f",
        parts: [{ kind: "parallel", steps: [1, 2].map((n) => ({ kind: "run" as const, id: `a${n}`, ms: 300 })) }],
        options: { concurrency: [{ limit: 1 }, { limit: 1, scope: "env", key: '"all"' }] },
      },
    ],
    act: (world) => {
      event(world, 10, "sim/f");
      event(world, 50, "sim/f");
    },
    check: (rest) => count(rest, "sim-f", 2),
    ends: "completed",
    limits: { "sim-f": 1 },
  },
  {
    // The losers go on after their runs' ends; whoever comes next waits for their units, and comes when ends that are not confirmed are repeated.
    name: "races under a limit",
    functions: [racing],
    act: (world) => {
      for (const at of [10, 50, 8500, 9500]) event(world, at, "sim/f");
    },
    check: (rest) => count(rest, "sim-f", 4),
    ends: "completed",
    limits: { "sim-f": 2 },
  },
  {
    // Nobody waits who would have it asked for its unit.
    name: "a race under a limit",
    functions: [racing],
    act: (world) => event(world, 10, "sim/f"),
    check: (rest) => count(rest, "sim-f", 1),
    ends: "completed",
    limits: { "sim-f": 2 },
  },
  {
    name: "a throttle",
    functions: [
      {
        id: "f",
        event: "sim/f",
        parts: [{ kind: "run", id: "a", ms: 20 }],
        options: { throttle: { limit: 1, period: "2s" } },
      },
    ],
    act: (world) => {
      event(world, 10, "sim/f");
      event(world, 20, "sim/f");
    },
    check: (rest) => count(rest, "sim-f", 2),
    ends: "completed",
  },
  {
    name: "a wait",
    functions: [
      {
        id: "f",
        event: "sim/f",
        parts: [{ kind: "wait", id: "a", event: GO, keyed: true, ms: LONG }],
        options: {},
      },
    ],
    act: (world) => {
      event(world, 10, "sim/f");
      event(world, 30_000, GO);
    },
    check: (rest) => [...count(rest, "sim-f", 1), ...unmet(rest, "a")],
    ends: "completed",
  },
  {
    name: "waits for an event that a sibling sends",
    functions: [
      // The name is known by the time it matters: history is not searched for what came before the wait.
      { id: "w", event: "sim/w", parts: [{ kind: "wait", id: "a", event: GO, keyed: false, ms: LONG }], options: {} },
      {
        id: "f",
        event: "sim/f",
        parts: [
          {
            kind: "parallel",
            steps: [
              { kind: "wait", id: "a", event: GO, keyed: false, ms: LONG },
              { kind: "run", id: "b", ms: 10, sends: GO },
            ],
          },
        ],
        options: {},
      },
    ],
    act: (world) => {
      event(world, 10, "sim/w");
      event(world, 60_000, "sim/f");
    },
    check: (rest) => [...count(rest, "sim-f", 1), ...count(rest, "sim-w", 1), ...unmet(rest, "a")],
    ends: "completed",
  },
  {
    name: "an invocation",
    functions: [
      {
        id: "f",
        event: "sim/f",
        parts: [
          { kind: "invoke", id: "a", function: "sim-g", ms: LONG },
          { kind: "run", id: "b", ms: 20 },
        ],
        options: {},
      },
      { id: "g", parts: [{ kind: "run", id: "a", ms: 100 }], options: {} },
    ],
    act: (world) => event(world, 10, "sim/f"),
    check: (rest) => [...count(rest, "sim-f", 1), ...count(rest, "sim-g", 1)],
    ends: "completed",
  },
  {
    name: "batches",
    functions: [
      {
        id: "f",
        event: "sim/f",
        parts: [{ kind: "run", id: "a", ms: 20 }],
        options: { batchEvents: { maxSize: 2, timeout: "1s" } },
      },
    ],
    act: (world) => {
      for (const at of [10, 100, 200]) event(world, at, "sim/f");
    },
    check: gathered,
    ends: "completed",
  },
  {
    name: "a debounce",
    functions: [
      {
        id: "f",
        event: "sim/f",
        parts: [{ kind: "run", id: "a", ms: 20 }],
        options: { debounce: { period: "1s" } },
      },
    ],
    act: (world) => {
      for (const at of [10, 100]) event(world, at, "sim/f");
    },
    check: (rest) => (started(rest, "sim-f").length === 0 ? ["the debounced function has no run"] : []),
    ends: "completed",
  },
  {
    name: "a sender's id, twice",
    functions: [{ id: "f", event: "sim/f", parts: [{ kind: "run", id: "a", ms: 20 }], options: {} }],
    act: (world) => {
      event(world, 10, "sim/f", "one");
      event(world, 30, "sim/f", "one");
    },
    check: (rest) => count(rest, "sim-f", 1),
    ends: "completed",
  },
  {
    name: "a cancellation while a step executes",
    functions: [{ id: "f", event: "sim/f", parts: [{ kind: "run", id: "a", ms: 60_000 }], options: {} }],
    act: (world) => {
      const cancel = () => {
        const [first] = world.app.ledger;
        if (first === undefined) world.agenda.after(2000, cancel, null, "outside");
        else world.request(() => cancelRun(world.bindings, LOCAL.id, first.runId, { by: "api" }));
      };
      event(world, 10, "sim/f");
      cancel();
    },
    // What the step returns after that is kept by nobody (EX-11).
    check: (rest) => [...count(rest, "sim-f", 1), ...kept(rest, "a")],
    ends: "cancelled",
  },
];

/** Runs of a function. */
function started({ runs }: Rest, slug: string): string[] {
  return [...runs].flatMap(([id, { row }]) => (row?.functionSlug === slug ? [id] : []));
}

function count(rest: Rest, slug: string, wanted: number): string[] {
  const { length } = started(rest, slug);
  return length === wanted ? [] : [`${slug} has ${length} runs, not ${wanted}`];
}

/** Runs whose wait has timed out although its event came in time. */
function unmet({ runs }: Rest, step: string): string[] {
  return [...runs].flatMap(([id, { memo }]) => (memo[step] === null ? [`run ${id} has missed its event`] : []));
}

/** Runs that have a result of this step. */
function kept({ runs }: Rest, step: string): string[] {
  return [...runs].flatMap(([id, { memo }]) => (step in memo ? [`run ${id} has kept the result of ${step}`] : []));
}

/** Every event is in exactly one run. */
function gathered({ runs, sent }: Rest): string[] {
  const members = [...runs.values()].flatMap(({ row }) => row?.eventIds ?? []);
  return [...sent.keys()].flatMap((id) => {
    const times = members.filter((member) => member === id).length;
    return times === 1 ? [] : [`event ${id} is in ${times} runs`];
  });
}
