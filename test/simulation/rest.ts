/**
 * What is left of a schedule when everything has come to rest: the app's ledger, what clients sent, what history holds, and what objects
 * answer when they are asked as the API asks them. Checkers read this and nothing else (faults.md §4, method c).
 */
import { Capacity } from "../../durable-objects/capacity.ts";
import { Environment } from "../../durable-objects/environment.ts";
import { Operation } from "../../durable-objects/operation.ts";
import { Run } from "../../durable-objects/run.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import type { RunRow } from "../../src/history/message.ts";
import { findRun } from "../../src/history/runs.ts";
import type { JsonObject } from "../../src/json.ts";
import { environmentStub, runStub } from "../../src/objects.ts";
import type { Execution } from "./app.ts";
import type { Sent, World } from "./world.ts";

/** A run as its object says it, as history has it, and the memo it would carry to the app. */
export interface RunEnd {
  readonly row: RunRow | null;
  readonly history: RunRow | null;
  readonly memo: JsonObject;
}

export interface Rest {
  readonly ledger: readonly Execution[];
  readonly sent: ReadonlyMap<string, Sent>;
  /** By id; entries of skipped runs included. */
  readonly runs: ReadonlyMap<string, RunEnd>;
  /** Units that lines still give out, by line. */
  readonly held: ReadonlyMap<string, number>;
  /** Chunks that are still to be fanned out, and events that history holds as not routed yet. */
  readonly pending: number;
}

/** Asks everybody. */
export async function restOf(world: World, environmentId: string = LOCAL.id): Promise<Rest> {
  const { bindings, database } = world;
  const ledger = world.app.ledger.filter((one) => one.environmentId === environmentId);
  const known = database.query("SELECT run_id FROM runs WHERE environment_id = ?1", environmentId);
  const ids = [...new Set([...known.map((row) => String(row["run_id"])), ...ledger.map(({ runId }) => runId)])];
  const runs = new Map<string, RunEnd>();
  const asked = await world.ask(() =>
    Promise.all(
      ids.map(async (id): Promise<[string, RunEnd]> => {
        const history = await findRun(bindings.DB, environmentId, id);
        const run = runStub(bindings, environmentId, id);
        const [view, memo] =
          history?.status === "skipped" ? [null, null] : await Promise.all([run.view(), run.actions()]);
        return [id, { row: view?.row ?? null, history, memo: memo ?? {} }];
      }),
    ),
  );
  for (const [id, end] of asked) runs.set(id, end);
  const chunks = await world.ask(() => environmentStub(bindings, environmentId).pending());
  const unrouted = database.query(
    "SELECT 1 FROM events WHERE environment_id = ?1 AND routed = 0",
    environmentId,
  ).length;
  const sent = new Map([...world.sent].filter(([, one]) => one.environmentId === environmentId));
  return { ledger, sent, runs, held: heldOf(world), pending: chunks + unrouted };
}

/** Units that lines still give out, by line. */
export function heldOf(world: World): Map<string, number> {
  const held = new Map<string, number>();
  for (const { name, database } of world.objects.of(Capacity)) {
    const tables = database.run("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'members'", []).rows;
    if (tables.length === 0) continue;
    const [row] = database.run("SELECT COUNT(*) AS n FROM members", []).rows;
    held.set(name, Number(row?.["n"] ?? 0));
  }
  return held;
}

/** Objects whose alarm means that there is something to do. */
const AWAKE = [Run, Environment, Operation];

/** ms: an ended run sleeps longer than this, and no other one does. */
const SOON = 90 * 60_000;

/** Lets time pass in peace until no run has anything to do any more, at most `peace` ms, and a little longer. */
export async function rest(world: World, peace: number, isOver: () => boolean = () => true): Promise<void> {
  const { agenda, objects } = world;
  const until = agenda.now + peace;
  for (let quiet = 0, known = 0; agenda.now < until && quiet < 4; ) {
    await agenda.run(agenda.now + 10_000);
    const isAwake = AWAKE.flatMap((one) => objects.of(one)).some(({ alarm }) => {
      return alarm.at !== null && alarm.at < agenda.now + SOON;
    });
    const isQuiet = !isAwake && world.app.ledger.length === known && isOver();
    known = world.app.ledger.length;
    quiet = isQuiet ? quiet + 1 : 0;
  }
}
