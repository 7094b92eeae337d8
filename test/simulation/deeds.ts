/**
 * What clients of a simulated world do: send, cancel, pause, sync anew, run again, look. Owns how each is done, which is as the API does it,
 * and the record of what the client was answered. Whoever gets no answer asks again.
 */
import { currentCatalog } from "../../src/apps/catalog.ts";
import { pauseFunction, resumeFunction } from "../../src/apps/pauses.ts";
import type { CancelCause } from "../../src/decide/run/flow.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import { readRun } from "../../src/history/read.ts";
import { waitsStub } from "../../src/objects.ts";
import { beginOperation } from "../../src/operations/operation.ts";
import { cancelRun } from "../../src/runs/cancel.ts";
import { rerun } from "../../src/runs/rerun.ts";
import type { World } from "./world.ts";
import type { WorldFunction } from "./world-function.ts";

/** Something that somebody does. Functions are named by their slugs; a run is chosen among those the app has seen. */
export type Deed =
  /** `id`: the sender's, for deduplication. `environmentId`: where to; absent: the one environment of all others. */
  | {
      readonly kind: "send";
      readonly name: string;
      readonly key: string;
      readonly id: string | null;
      readonly environmentId?: string;
    }
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "cancel"; readonly children: boolean }
  | { readonly kind: "bulk"; readonly function: string }
  | { readonly kind: "pause"; readonly function: string; readonly running: "hold" | "cancel" }
  | { readonly kind: "resume"; readonly function: string }
  | { readonly kind: "rerun"; readonly fromStep: boolean }
  | { readonly kind: "register"; readonly functions: readonly WorldFunction[] }
  | { readonly kind: "look" };

/** A deed and what came of it. Times are ms; `answeredAt` null: not yet. */
export interface Done {
  readonly deed: Deed;
  readonly at: number;
  answeredAt: number | null;
  /** The code of a refusal. */
  refused: string | null;
  /** The run it was about. */
  readonly runId: string | null;
  /** The run that a rerun starts. */
  readonly newRunId: string | null;
  /** What a look saw, or how a cancellation was answered. */
  saw: { readonly status: string; readonly sequence: number } | null;
}

/**
 * A deed of a plan, and another one by the same client, who waits for the answer to the first and then for `wait` ms. `at` in ms from the
 * beginning of the plan.
 */
export interface PlannedDeed {
  readonly at: number;
  readonly deed: Deed;
  readonly next?: { readonly wait: number; readonly deed: Deed };
}

/** What clients do in one schedule, and the record of it. */
export class Deeds {
  readonly done: Done[] = [];
  readonly #world: World;
  readonly #planned: readonly PlannedDeed[];

  /** Each happens at its time. */
  constructor(world: World, planned: readonly PlannedDeed[]) {
    this.#world = world;
    this.#planned = planned;
    for (const { at, deed, next } of planned) {
      this.#outside(at, () => this.act(deed, next && (() => this.#outside(next.wait, () => this.act(next.deed)))));
    }
  }

  get isAnswered(): boolean {
    return this.done.every(({ answeredAt }) => answeredAt !== null);
  }

  act(deed: Deed, answered?: () => void): void {
    const done = perform(this.#world, deed, answered);
    if (done !== null) this.done.push(done);
  }

  /** Does once more what was to follow others, now that nothing goes wrong any more. */
  actNext(): void {
    for (const { next } of this.#planned) if (next !== undefined) this.act(next.deed);
  }

  #outside(at: number, work: () => void): void {
    this.#world.agenda.after(at, work, null, "outside");
  }
}

/** Does it. The record is complete once the engine has answered, when `answered` is called. Null when there is nobody to do it to. */
function perform(world: World, deed: Deed, answered: () => void = () => undefined): Done | null {
  const { agenda, random, bindings } = world;
  const runs = [...new Set(world.app.ledger.map(({ runId }) => runId))];
  const isAboutRun = deed.kind === "cancel" || deed.kind === "rerun" || deed.kind === "look";
  // The newest ones are the most likely to be at something.
  const runId = isAboutRun ? (runs[runs.length - 1 - Math.floor(random.next() ** 2 * runs.length)] ?? null) : null;
  if (isAboutRun && runId === null) return null;
  const done: Done = {
    deed,
    at: agenda.now,
    answeredAt: null,
    refused: null,
    runId,
    newRunId: deed.kind === "rerun" ? world.ulid() : null,
    saw: null,
  };
  if (deed.kind === "send") {
    const { name, key, id, environmentId = LOCAL.id } = deed;
    const accepted = () => {
      done.answeredAt = agenda.now;
      answered();
    };
    world.send([world.event(name, { key, canary: environmentId }, id)], accepted, environmentId);
    return done;
  }
  const step = runId === null ? null : lastStep(world, runId);
  world.request(
    async () => {
      switch (deed.kind) {
        case "signal":
          return await waitsStub(bindings, LOCAL.id, "signal", deed.signal).signal({ by: "deed" });
        case "cancel": {
          const cause: CancelCause = deed.children ? { by: "api", children: true } : { by: "api" };
          const answer = await cancelRun(bindings, LOCAL.id, runId ?? "", cause);
          done.saw = { status: answer, sequence: 0 };
          return answer;
        }
        case "bulk":
          return await cancelMany(world, deed.function);
        case "pause": {
          const { id } = await find(world, deed.function);
          return await pauseFunction(bindings, LOCAL.id, id, { running: deed.running, now: Date.now() });
        }
        case "resume": {
          const { id } = await find(world, deed.function);
          return await resumeFunction(bindings, LOCAL.id, id, Date.now());
        }
        case "rerun": {
          const wish = { runId: done.newRunId ?? "", originalRunId: runId ?? "", input: null };
          return await rerun(bindings, LOCAL.id, { ...wish, fromStep: deed.fromStep ? step : null }, Date.now());
        }
        case "register":
          return await world.registration(deed.functions)();
        case "look": {
          const view = await readRun(bindings, LOCAL.id, runId ?? "");
          if (view !== null) done.saw = { status: view.row.status, sequence: view.row.sequence };
          return view;
        }
      }
    },
    (answer) => {
      done.answeredAt = agenda.now;
      if ("refused" in answer) done.refused = answer.refused.code;
      answered();
    },
  );
  return done;
}

async function cancelMany(world: World, slug: string) {
  const { app, id } = await find(world, slug);
  const now = Date.now();
  return await beginOperation(world.bindings, {
    id: world.ulid(),
    environmentId: LOCAL.id,
    kind: "cancel",
    app,
    function: { id, slug },
    after: null,
    before: now,
    condition: null,
    createdAt: now,
  });
}

async function find(world: World, slug: string) {
  const registered = (await currentCatalog(world.bindings, LOCAL.id, Date.now())).functionNamed(slug);
  if (registered === null) throw new Error(`${slug} is not registered.`);
  return registered;
}

/** The newest step of a run that the app has executed. */
function lastStep(world: World, runId: string): string | null {
  return world.app.ledger.findLast((one) => one.runId === runId && one.step !== null)?.step ?? null;
}
