/**
 * Limits of the tools for AI assistants. Each number with its unit and its reason.
 */
import { MIB } from "./units.ts";

/** `/mcp` (API-30). */
export const MCP = {
  /** Bytes of a request: what an event may have, and its envelope. */
  requestBytes: 4 * MIB,
  /** s; how long a tool waits for a run: default (API-31, API-32). */
  wait: 30,
  /** ms; how long after a send is looked for runs that it did not start at once (API-31). */
  look: 500,
  /** Runs one poll may ask about. */
  polled: 100,
  /** ms between two looks at a run while polling (API-32): default and range. */
  pollInterval: { default: 1000, min: 100, max: 60_000 },
  /** Matches of a search in the documentation (API-33): default, and the most. */
  matches: { default: 10, max: 100 },
  /** Characters of a pattern. */
  pattern: 500,
} as const;
