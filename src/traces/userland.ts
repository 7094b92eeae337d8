/**
 * Spans that an app sent (OB-14), and where they belong in a run's trace. Pure. A span is hung below its own parent where that is known, else
 * below the attempt, the step or the code in whose call it happened: the SDK names the step, or the trace context names the call.
 */
import type { JsonObject } from "../json.ts";
import type { Delivery } from "./context.ts";
import type { RunRecord } from "./records.ts";
import type { Span } from "./span.ts";

/** A span as it is stored. Times are ms since 1970, with fractions. An alias, so that it counts as JSON. */
export type UserlandSpan = {
  /** 16 hex digits. */
  readonly id: string;
  readonly parentId: string | null;
  readonly name: string;
  /** As OpenTelemetry numbers them: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly failed: boolean;
  readonly message: string | null;
  readonly attributes: JsonObject;
  readonly resource: JsonObject;
  readonly scope: { readonly name: string; readonly version: string };
  readonly events: readonly { readonly name: string; readonly at: number; readonly attributes: JsonObject }[];
  /** The step that its SDK names: the hashed id. */
  readonly stepId: string | null;
  /** The call in which it happened; null when its context is not ours. */
  readonly delivery: Delivery | null;
};

/** Spans kept of a run, and how many were not. */
export interface StoredSpans {
  readonly spans: readonly UserlandSpan[];
  readonly dropped: number;
}

/** The id of the span under which an app's span is known in the trace. */
function placeOf(id: string): string {
  return `userland-${id}`;
}

/** The spans of the app as spans of the trace, each after its parent. `own` are the engine's. */
export function placeUserland(stored: readonly UserlandSpan[], run: RunRecord, own: readonly Span[]): Span[] {
  if (stored.length === 0) return [];
  // A batch that was sent twice is the same spans.
  const byId = new Map(stored.map((span) => [span.id, span]));
  const known = new Set(own.map(({ id }) => id));
  const deliveries = deliveriesOf(run);
  const placed = new Map<string, Span>();
  for (const span of [...byId.values()].sort((a, b) => a.startedAt - b.startedAt)) {
    // From the span up to the first that is placed, or that has no parent here; a cycle ends where it began.
    const chain: UserlandSpan[] = [];
    const seen = new Set<string>();
    for (let one: UserlandSpan | undefined = span; one !== undefined; one = byId.get(one.parentId ?? "")) {
      if (placed.has(one.id) || seen.has(one.id)) break;
      seen.add(one.id);
      chain.push(one);
    }
    for (const one of chain.reverse()) {
      const parent = placed.has(one.parentId ?? "") ? placeOf(one.parentId ?? "") : owner(one, known, deliveries);
      placed.set(one.id, drawn(one, parent));
    }
  }
  return [...placed.values()];
}

/** What happened in each call: by delivery, the attempts in it with the ids of their spans. */
type Deliveries = ReadonlyMap<
  string,
  readonly { readonly spanId: string; readonly from: number; readonly to: number }[]
>;

function owner(span: UserlandSpan, known: ReadonlySet<string>, deliveries: Deliveries): string {
  const within = span.delivery === null ? [] : (deliveries.get(keyOf(span.delivery)) ?? []);
  if (span.stepId !== null && known.has(span.stepId)) {
    const attempt = within.find(({ spanId }) => spanId.startsWith(`${span.stepId}.`));
    return attempt !== undefined && known.has(attempt.spanId) ? attempt.spanId : span.stepId;
  }
  // Of several steps in one call the clock decides; apps and engine need not agree on it to the millisecond.
  const containing = within.find(({ from, to }) => span.startedAt >= from - 1 && span.startedAt <= to + 1);
  const found = containing ?? (within.length === 1 ? within[0] : undefined);
  if (found === undefined) return "run";
  if (known.has(found.spanId)) return found.spanId;
  const step = found.spanId.slice(0, found.spanId.lastIndexOf("."));
  return known.has(step) ? step : "run";
}

function deliveriesOf(run: RunRecord): Deliveries {
  const deliveries = new Map<string, { spanId: string; from: number; to: number }[]>();
  const add = (delivery: Delivery, entry: { spanId: string; from: number; to: number }) => {
    const entries = deliveries.get(keyOf(delivery)) ?? [];
    entries.push(entry);
    deliveries.set(keyOf(delivery), entries);
  };
  for (const { id, attempts } of run.steps.values()) {
    for (const [number, { delivery, startedAt, queuedAt, endedAt }] of attempts.entries()) {
      add(delivery, { spanId: `${id}.${number}`, from: startedAt ?? queuedAt, to: endedAt });
    }
  }
  const { outcome } = run;
  if (outcome?.job) {
    const { id, generation } = outcome.job;
    add({ job: id, generation }, { spanId: "finalization", from: outcome.startedAt ?? outcome.at, to: outcome.at });
  }
  return deliveries;
}

function keyOf({ job, generation }: Delivery): string {
  return `${job}.${generation}`;
}

function drawn(span: UserlandSpan, parentId: string): Span {
  return {
    id: placeOf(span.id),
    parentId,
    name: span.name,
    kind: "userland",
    status: span.failed ? "failed" : "completed",
    stepId: span.stepId,
    stepType: null,
    attempt: 0,
    queuedAt: span.startedAt,
    startedAt: span.startedAt,
    endedAt: span.endedAt,
    nextAt: null,
    limited: 0,
    details: { of: "userland", span },
    call: null,
    output: null,
    metadata: [],
    warnings: [],
  };
}
