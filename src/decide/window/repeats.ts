/**
 * Which events a window has seen, kept small: a send is repeated as a whole, so the events of one call are remembered as one span of
 * internal ids. Pure. Owns the form of a span and the answer whether an id is in it.
 */

/** Internal ids from the first to the last, both included. */
export type Span = readonly [first: string, last: string];

/** The first characters of an internal id: its time. */
const TIME = 10;

/**
 * The spans of the ids of one call, in its order. The ids of one request have one time and rise, each a little above the one before:
 * those of any other request lie before or after all of them. Ids that do not look like that stay single.
 */
export function spansOf(ids: readonly string[]): Span[] {
  const [first, last] = [ids[0], ids.at(-1)];
  if (first === undefined || last === undefined) return [];
  const rising = ids.every((id, i) => i === 0 || (ids[i - 1] ?? "") < id);
  if (rising && first.slice(0, TIME) === last.slice(0, TIME)) return [[first, last]];
  return ids.map((id) => [id, id]);
}

/** Whether one of the spans holds the id. */
export function covers(spans: readonly Span[], id: string): boolean {
  return spans.some(([first, last]) => first <= id && id <= last);
}

/** The span around all of them; there is at least one. */
export function hull(spans: readonly Span[]): Span {
  const firsts = spans.map(([first]) => first).sort();
  const lasts = spans.map(([, last]) => last).sort();
  return [firsts[0] ?? "", lasts.at(-1) ?? ""];
}
