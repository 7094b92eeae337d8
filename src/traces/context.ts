/**
 * The W3C trace context that calls of an app carry (OB-14): by it the app's own spans find back to their run and call. Pure.
 * A trace id is the run's id, a ULID, in hex; a span id names one delivery of one job.
 */
import type { Job, RunState } from "../decide/run/state.ts";
import { chainMember } from "../protocol/chain.ts";

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Which delivery of which job a span belongs to. */
export interface Delivery {
  readonly job: number;
  readonly generation: number;
}

/** The 32 hex digits of a run's trace; `runId` is a ULID. */
export function traceIdOf(runId: string): string {
  let value = 0n;
  for (const character of runId) value = value * 32n + BigInt(CROCKFORD.indexOf(character));
  return value.toString(16).padStart(32, "0");
}

/** The run whose trace this is; null for an id that belongs to none. */
export function runIdOf(traceId: string): string | null {
  if (!/^[0-9a-f]{32}$/i.test(traceId)) return null;
  let value = BigInt(`0x${traceId}`);
  let runId = "";
  for (let i = 0; i < 26; i++, value /= 32n) runId = CROCKFORD.charAt(Number(value % 32n)) + runId;
  return runId;
}

/** The headers `traceparent` and `tracestate` of one call. */
export function traceHeaders({ identity }: RunState, { id, generation }: Job): Record<string, string> {
  const span = hex8(id) + hex8(generation);
  return {
    traceparent: `00-${traceIdOf(identity.runId)}-${span}-01`,
    tracestate: `${chainMember(identity.depth)},inngest@app=${identity.app.id},inngest@fn=${identity.function.id}`,
  };
}

/** What a `traceparent` of ours says; null for anybody else's. */
export function readTraceparent(text: string): { readonly runId: string; readonly delivery: Delivery } | null {
  const [, traceId = "", job = "", generation = ""] =
    /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{8})([0-9a-f]{8})-/i.exec(text) ?? [];
  const runId = runIdOf(traceId);
  if (runId === null || job === "") return null;
  return { runId, delivery: { job: Number.parseInt(job, 16), generation: Number.parseInt(generation, 16) } };
}

function hex8(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
