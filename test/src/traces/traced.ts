/**
 * Traces of runs in the hands of a test: what its log draws, as a list of short lines.
 */
import type { Decision } from "../../../src/decide/run/change.ts";
import { foldLog } from "../../../src/traces/fold.ts";
import type { LoadedOutput } from "../../../src/traces/output.ts";
import { keepsFor, outputNamed } from "../../../src/traces/output.ts";
import type { Keeps } from "../../../src/traces/records.ts";
import { childrenByParent, rootOf, type Span, type Trace } from "../../../src/traces/span.ts";
import { drawTrace, keepsForTrace } from "../../../src/traces/trace.ts";
import type { StoredSpans } from "../../../src/traces/userland.ts";

interface Sources {
  /** Calls in flight, by job, and since when. */
  readonly inFlight?: ReadonlyMap<number, number>;
  readonly userland?: StoredSpans;
  readonly keeps?: Keeps;
}

/** The trace of a log, which goes through JSON as it does on disk. */
export function traceOfLog(
  log: readonly Decision[],
  { inFlight = new Map(), userland, keeps = keepsForTrace() }: Sources = {},
): Trace {
  return drawTrace(recordOf(log, keeps), { inFlight, userland: userland ?? { spans: [], dropped: 0 }, outputs: true });
}

/** The output that a span names. */
export function outputIn(log: readonly Decision[], id: string): LoadedOutput | null {
  return outputNamed(recordOf(log, keepsFor(id)), id);
}

/** The tree, one line per span: depth, name, status. */
export function lines(trace: Trace): string[] {
  const children = childrenByParent(trace);
  const below = (span: Span, depth: number): string[] => [
    `${"  ".repeat(depth)}${span.name} ${span.status}`,
    ...(children.get(span.id) ?? []).flatMap((child) => below(child, depth + 1)),
  ];
  return below(rootOf(trace), 0);
}

/** The span with this name; throws when there is none. */
export function spanNamed({ spans }: Trace, name: string): Span {
  const found = spans.find((span) => span.name === name);
  if (found === undefined) throw new Error(`no span "${name}"`);
  return found;
}

function recordOf(log: readonly Decision[], keeps: Keeps) {
  const record = foldLog(JSON.parse(JSON.stringify(log)), keeps);
  if (record === null) throw new Error("the log is empty");
  return record;
}
