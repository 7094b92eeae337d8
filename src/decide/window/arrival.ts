/**
 * When an event counts as received by its window (EV-10). Pure.
 */

/**
 * The receive time of an event that reaches its window at `now`, for a window that is kept open for `span` ms after it. It is never in
 * the future, whatever the clock of the machine that received it says. An event that was long on its way counts from when it came, or
 * else its window would be over before the others of the same send were there.
 */
export function arrivalOf(receivedAt: number, now: number, span: number): number {
  return Math.min(Math.max(receivedAt, now - Math.floor(span / 2)), now);
}
