/**
 * How much is removed at once. Pure.
 */
import { RETENTION } from "../../limits.ts";

/** The items in their order, in portions of at most `RETENTION.bytes` by `bytesOf`; one that is larger makes a portion of its own. */
export function portionsOf<Item>(items: readonly Item[], bytesOf: (item: Item) => number): Item[][] {
  const portions: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    bytes += bytesOf(item);
    const open = portions.at(-1);
    if (open === undefined || bytes > RETENTION.bytes) {
      portions.push([item]);
      bytes = bytesOf(item);
    } else {
      open.push(item);
    }
  }
  return portions;
}
