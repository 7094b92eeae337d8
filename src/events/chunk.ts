/**
 * Chunks: the portions in which a large send is fanned out. Owns how a send is cut, what a chunk is called and when it is sent again. Pure.
 */
import { hex, sha256 } from "../ids.ts";
import { FANOUT } from "../limits.ts";

/** Events that one message of the fan-out queue stands for, by internal id and in the order of the send. */
export interface Chunk {
  /** Derived from the event ids, so that registering a send again registers nothing new. */
  readonly id: string;
  readonly eventIds: readonly string[];
  /** How often it was sent before; absent: never. */
  readonly attempt?: number;
}

/** Cuts a send into chunks of at most `FANOUT.chunk` events. */
export function chunksOf(eventIds: readonly string[]): Promise<Chunk[]> {
  const parts: (readonly string[])[] = [];
  for (let i = 0; i < eventIds.length; i += FANOUT.chunk) parts.push(eventIds.slice(i, i + FANOUT.chunk));
  return Promise.all(parts.map(async (part) => ({ id: hex(await sha256(part.join("\n"))), eventIds: part })));
}

/** When a chunk that was sent at `now` for the `attempt`th time (from 0) is sent again if it is not done by then; ms. */
export function resendAt(now: number, attempt: number): number {
  return now + Math.min(FANOUT.retry * 2 ** attempt, FANOUT.retryMax);
}
