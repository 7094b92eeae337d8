/**
 * A run's life as its followers see it (spec/08, BY-9): what a decision means to somebody who watches. Pure.
 * Owns the forms of what is published about a run. Outputs are only in what steps gave and how the run ended, so that whoever may
 * hear no more than its life learns nothing but how it is going.
 */
import { type Json, type JsonObject, objectOf } from "../../json.ts";
import type { Change, Decision } from "./change.ts";
import { rowOf } from "./report.ts";
import type { RunState } from "./state.ts";

/** One message about a run: a turn of its life, the output of a step, or the run's own. */
export type Moment =
  | { readonly of: "life"; readonly data: JsonObject }
  | { readonly of: "step" | "end"; readonly data: Json; readonly metadata: JsonObject };

/** What there is to tell about a decision, in order. `sequence` is its number. */
export function momentsOf(decision: Decision, sequence: number): Moment[] {
  return decision.changes.flatMap((change) => momentsOfChange(change, { sequence, at: isoTime(decision.at) }));
}

/** How a run stands, for somebody who has just begun to follow it; what is told later has a higher `sequence`. */
export function standing(state: RunState, now: number): Moment {
  const { status } = rowOf(state);
  const data = { state: "now", status, steps: state.stack.length, sequence: state.sequence, at: isoTime(now) };
  return { of: "life", data };
}

type Stamp = { readonly sequence: number; readonly at: string };

function momentsOfChange(change: Change, stamp: Stamp): Moment[] {
  switch (change.is) {
    case "created":
      return [life({ state: "queued", ...stamp })];
    case "begun":
      return [life({ state: "started", ...stamp })];
    case "retried":
      return [life({ state: "retrying", attempt: change.attempt, until: isoTime(change.due), ...stamp })];
    case "suspended":
      return [life({ state: "paused", ...stamp })];
    case "resumed":
      return [life({ state: "resumed", ...stamp })];
    case "sleeping":
      return [life({ state: "waiting", for: "time", until: isoTime(change.until), step: stepJson(change), ...stamp })];
    case "waiting":
      return [
        life({ state: "waiting", for: change.on.kind, until: isoTime(change.until), step: stepJson(change), ...stamp }),
      ];
    case "finished": {
      const step = stepJson(change);
      const { ok, data } = resultOf(change.memo);
      return [life({ state: "step", step, ok, ...stamp }), { of: "step", data, metadata: { step, ok } }];
    }
    case "ended": {
      const { status, output } = change;
      return [{ of: "end", data: output, metadata: { status } }, life({ state: "ended", status, ...stamp })];
    }
    // What else a log holds is between the engine and the app.
    default:
      return [];
  }
}

function life(data: JsonObject): Moment {
  return { of: "life", data };
}

function stepJson({ id, label }: { readonly id: string; readonly label: { name: string; type: string | null } }) {
  return { id, name: label.name, type: label.type };
}

/** A step's result out of the envelope in which SDKs get it back. An event or a signal has none, and more fields than an envelope. */
export function resultOf(memo: Json): { readonly ok: boolean; readonly data: Json } {
  const entries = Object.entries(objectOf(memo));
  const [[name, data] = ["", null]] = entries;
  if (entries.length !== 1 || (name !== "data" && name !== "error")) return { ok: true, data: memo };
  return { ok: name === "data", data };
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}
