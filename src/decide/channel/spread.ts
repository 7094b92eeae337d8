/**
 * How the subscribers of a large channel are spread over several objects (RT-16). Pure.
 * The channel's first object, number 0, takes as many as it holds and knows about the others; they are filled one after the other, so
 * that a channel never has more objects than it needs and a message travels to as few as possible.
 */

/** How many subscribers a channel may have, and how many of them in one object. */
export interface Room {
  readonly subscribers: number;
  readonly perObject: number;
}

/** The most that object number `branch` may hold. */
export function capacityOf(branch: number, { subscribers, perObject }: Room): number {
  return Math.max(0, Math.min(perObject, subscribers - branch * perObject));
}

/**
 * The object that takes the next subscriber; null when all are full. `own` counts the first object's, `counts` those of the further
 * objects that are known, which may have fewer by now: who leaves is not reported.
 */
export function placeFor(own: number, counts: ReadonlyMap<number, number>, room: Room): number | null {
  if (own < capacityOf(0, room)) return 0;
  for (let branch = 1; capacityOf(branch, room) > 0; branch++) {
    if ((counts.get(branch) ?? 0) < capacityOf(branch, room)) return branch;
  }
  return null;
}
