/**
 * What a trace is made of: spans, flat, each naming its parent (OB-6, OB-7). Pure types and the questions everybody asks of them.
 * Every surface draws its own tree of them; nothing here knows a surface.
 */
import type { CallFacts } from "../decide/run/call-facts.ts";
import type { Json, JsonObject } from "../json.ts";
import type { UserlandSpan } from "./userland.ts";

/** What a span is about. `function`: code between steps that failed and was tried again. `userland`: a span that the app sent. */
export type SpanKind =
  | "root"
  | "run"
  | "sleep"
  | "wait"
  | "signal"
  | "invoke"
  | "send_event"
  | "send_signal"
  | "fetch"
  | "ai"
  | "realtime_publish"
  | "function"
  | "finalization"
  | "attempt"
  | "userland";

/** How it stands. `queued`: it is due, or will be tried again. `waiting`: for time, an event, a signal or another run. */
export type SpanStatus = "queued" | "running" | "waiting" | "completed" | "failed" | "cancelled" | "skipped";

/** What only spans of one kind have. Times are ms since 1970. */
export type SpanDetails =
  | { readonly of: "sleep"; readonly until: number }
  | {
      readonly of: "wait";
      readonly event: string;
      readonly expression: string | null;
      readonly until: number | null;
      readonly timedOut: boolean | null;
      /** Internal id of the event that ended it. */
      readonly eventId: string | null;
    }
  | { readonly of: "signal"; readonly signal: string; readonly until: number | null; readonly timedOut: boolean | null }
  | {
      readonly of: "invoke";
      /** As the app named it: a slug. */
      readonly functionId: string;
      readonly until: number;
      readonly timedOut: boolean | null;
      readonly runId: string | null;
      /** The event that started the child; null until somebody who can derive it has. */
      readonly eventId: string | null;
    }
  | { readonly of: "send_event"; readonly eventIds: readonly string[] }
  | { readonly of: "ai"; readonly ai: AiFacts }
  | { readonly of: "userland"; readonly span: UserlandSpan };

/** An AI step (OB-12); null where nobody said. Latency in ms. */
export interface AiFacts {
  readonly provider: string | null;
  readonly model: string | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly latency: number | null;
  /** Temperature and the like, as they were asked for. */
  readonly parameters: JsonObject;
  readonly prompt: Json;
}

/** Where an output is and how large: {@link Span.outputId} loads it. */
export interface SpanOutput {
  readonly id: string;
  /** Bytes as JSON. */
  readonly bytes: number;
  readonly ok: boolean;
  /** Present while it is small enough to travel with the trace (OB-11). */
  readonly value?: Json;
}

/** What can be said about a run's steps that nobody asked. */
export type SpanWarning = "repeated" | "taken_over" | "spans_dropped";

/** Metadata of a span (EX-72): what changes of one kind add up to. */
export interface SpanMetadata {
  readonly scope: "run" | "step";
  readonly kind: string;
  readonly values: JsonObject;
  /** ms since 1970. */
  readonly updatedAt: number;
}

/** One span. Times are ms since 1970, null while not reached. */
export interface Span {
  /** Unique within the run and stable: of a step its hashed id, of its attempts that and a number. */
  readonly id: string;
  readonly parentId: string | null;
  readonly name: string;
  readonly kind: SpanKind;
  readonly status: SpanStatus;
  /** Hashed id of the step it belongs to. */
  readonly stepId: string | null;
  /** The SDK's own kind of step: `step.ai.wrap`; null for plain ones. */
  readonly stepType: string | null;
  /** The newest attempt, counted from 0. */
  readonly attempt: number;
  readonly queuedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** When a failed attempt is, or was, followed by the next one. */
  readonly nextAt: number | null;
  /** ms between being due and being let through by the run's limits; 0 for runs that nothing limits. */
  readonly limited: number;
  readonly details: SpanDetails | null;
  readonly call: CallFacts | null;
  readonly input?: Json;
  readonly output: SpanOutput | null;
  readonly metadata: readonly SpanMetadata[];
  readonly warnings: readonly SpanWarning[];
}

/** A span of which nothing is known yet but its name and its place. */
export function blankSpan(
  name: string,
  id: string,
  parentId: string | null,
): Omit<Span, "kind" | "status" | "queuedAt"> {
  return {
    id,
    parentId,
    name,
    stepId: null,
    stepType: null,
    attempt: 0,
    startedAt: null,
    endedAt: null,
    nextAt: null,
    limited: 0,
    details: null,
    call: null,
    output: null,
    metadata: [],
    warnings: [],
  };
}

/** A run's trace: the root first, parents before their children. */
export interface Trace {
  readonly runId: string;
  readonly traceId: string;
  readonly appId: string;
  readonly functionId: string;
  /** The step that invoked this run. */
  readonly parent: { readonly runId: string; readonly stepId: string } | null;
  readonly originalRunId: string | null;
  /** The events that tell of its end, by which its failure handler is found; their ids are null until somebody who can derive them has. */
  readonly endEvents: readonly { readonly name: string; readonly id: string | null }[];
  readonly spans: readonly Span[];
  /** Of all its AI steps (OB-12). */
  readonly tokens: { readonly input: number; readonly output: number };
  /** Spans of the app that were not kept. */
  readonly droppedSpans: number;
}

/** The root of a trace. */
export function rootOf({ spans }: Trace): Span {
  const [root] = spans;
  if (root === undefined) throw new RangeError("A trace begins with its root.");
  return root;
}

/** The spans below one, in order, by the id of their parent. */
export function childrenByParent({ spans }: Trace): ReadonlyMap<string, readonly Span[]> {
  const children = new Map<string, Span[]>();
  for (const span of spans) {
    if (span.parentId === null) continue;
    const siblings = children.get(span.parentId);
    if (siblings === undefined) children.set(span.parentId, [span]);
    else siblings.push(span);
  }
  return children;
}
