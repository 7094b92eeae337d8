/**
 * Values as GraphQL writes them (protocol/12 §12.5): times, JSON as text, statuses in capitals. Pure.
 */
import { MillraceError } from "../../errors.ts";
import type { RunStatus } from "../../history/message.ts";
import type { Json } from "../../json.ts";
import { GRAPHQL } from "../../limits.ts";
import type { SpanStatus } from "../../traces/span.ts";

/** RFC 3339; null stays null. `time` in ms since 1970. */
export function timeText(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

/** A `Time` that was given, as ms since 1970; null when there is none. Throws `invalid_request`. */
export function timeGiven(text: string | null | undefined): number | null {
  if (text === null || text === undefined) return null;
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new MillraceError("invalid_request", `"${text}" is no time such as 2026-11-21T02:00:00Z.`);
  return time;
}

/** JSON as text, which is how `Bytes` travels. */
export function bytes(value: Json | object): string {
  return JSON.stringify(value);
}

/** Statuses of runs and of spans in GraphQL's words. */
export function statusText(status: RunStatus | SpanStatus): string {
  return status.toUpperCase();
}

/** How many items of a list are wanted. */
export function pageSize(first: number | null | undefined): number {
  return Math.min(Math.max(first ?? GRAPHQL.page.default, 1), GRAPHQL.page.max);
}

/** Where a page ends: `end` is where the next one begins, also when a search stopped before it found anything. */
interface PageEnds<Item> {
  readonly cursorOf: (item: Item) => string;
  readonly nextCursor: string | null;
  readonly end: string | null;
}

/** A page as a connection. `totalCount` is only counted when somebody asks. */
export function connection<Item>(
  items: readonly Item[],
  { cursorOf, nextCursor, end }: PageEnds<Item>,
  total: () => Promise<number>,
) {
  const [first] = items;
  return {
    edges: items.map((node) => ({ node, cursor: cursorOf(node) })),
    pageInfo: {
      hasNextPage: nextCursor !== null,
      hasPreviousPage: false,
      startCursor: first === undefined ? null : cursorOf(first),
      endCursor: end,
    },
    totalCount: total,
  };
}
