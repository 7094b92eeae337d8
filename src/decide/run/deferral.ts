/**
 * Calls of other functions that a run puts off until its end (EX-71, protocol/04 "defer"). Pure.
 * Recording is idempotent, because the SDK repeats a defer until it sees it confirmed; an abort is final.
 */
import { RUN } from "../../limits.ts";
import type { Op } from "../../protocol/opcodes.ts";
import { jsonBytes, record, type Turn } from "./turn.ts";

/** Records a deferred call. One beyond the limits is ignored. */
export function defer(turn: Turn, op: Extract<Op, { op: "defer" }>): void {
  if (turn.state.defers.has(op.deferId)) return;
  const bytes = jsonBytes(op.input);
  let total = bytes;
  for (const known of turn.state.defers.values()) total += jsonBytes(known.input);
  if (turn.state.defers.size >= RUN.defers.count || total > RUN.defers.bytes) return;
  const { functionSlug, input, meta } = op;
  record(turn, { is: "deferred", id: op.deferId, defer: { functionSlug, input, meta, aborted: false }, bytes });
}

/** Aborts a deferred call, also one that was not recorded yet. */
export function undefer(turn: Turn, deferId: string): void {
  const known = turn.state.defers.get(deferId);
  if (known?.aborted === true) return;
  if (known === undefined) {
    if (turn.state.defers.size >= RUN.defers.count) return;
    const aborted = { functionSlug: "", input: null, meta: null, aborted: true };
    return record(turn, { is: "deferred", id: deferId, defer: aborted, bytes: 0 });
  }
  record(turn, { is: "undeferred", id: deferId });
}
