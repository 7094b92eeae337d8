/**
 * Jitter of crons (TR-15): how long after its tick a run starts. Pure. Guarantees that the same function, cron and tick always give the
 * same moment, however often it is asked for.
 */
import { SCHEDULE } from "../../limits.ts";

/**
 * The moment within a cron's jitter (ms) at which the tick `at` fires; `next` is the tick after it, which is never overtaken. A jitter that
 * reaches beyond the next tick therefore spreads runs over the time between both.
 */
export function fireTime(
  functionId: string,
  { cron, jitter }: { readonly cron: string; readonly jitter: number | null },
  at: number,
  next: number | null,
): number {
  if (jitter === null) return at;
  const room = next === null ? jitter : Math.min(jitter, next - at);
  const spread = Math.max(room - SCHEDULE.jitter, 0);
  return at + SCHEDULE.jitter + Math.floor(spread * share(`${functionId}\n${cron}\n${at}`));
}

/** A number in [0, 1) that only the text decides: FNV-1a, its bits mixed once more because texts differ in their last characters only. */
function share(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
