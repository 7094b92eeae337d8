/**
 * Spans that an app exports (API-34): OTLP in JSON, and what was read of protobuf, parsed into spans of runs. Owns what of a span is kept, and to
 * which run it belongs: the SDK says it in `sdk.run.id`, or the trace context of the call does. Pure.
 * Guarantees that attributes hold no credentials by name or form (OB-13), and that none is larger than `USERLAND` allows.
 */
import * as z from "zod";
import { isCredentialName } from "../calls/credentials.ts";
import { isUlid } from "../ids.ts";
import type { Json, JsonObject } from "../json.ts";
import { USERLAND } from "../limits.ts";
import { maskText } from "../masking.ts";
import { readTraceparent } from "../traces/context.ts";
import type { UserlandSpan } from "../traces/userland.ts";

// Nanoseconds since 1970 exceed what a number holds exactly: they are divided first.
const nanos = z.union([z.string().regex(/^\d{1,20}$/), z.int().nonnegative()]).transform((given) => {
  const time = BigInt(given);
  return Number(time / 1_000_000n) + Number(time % 1_000_000n) / 1e6;
});

const keyValues = z.array(z.looseObject({ key: z.string(), value: z.unknown().optional() })).default([]);

const spanSchema = z.looseObject({
  traceId: z.string().regex(/^[0-9a-f]{32}$/i),
  spanId: z.string().regex(/^[0-9a-f]{16}$/i),
  parentSpanId: z.string().nullish(),
  name: z.string().default(""),
  kind: z.coerce.number().int().min(0).max(5).catch(0),
  startTimeUnixNano: nanos,
  endTimeUnixNano: nanos,
  attributes: keyValues,
  events: z
    .array(z.looseObject({ timeUnixNano: nanos.default(0), name: z.string().default(""), attributes: keyValues }))
    .default([]),
  status: z.looseObject({ message: z.string().nullish(), code: z.coerce.number().catch(0) }).nullish(),
});

const requestSchema = z.looseObject({
  resourceSpans: z
    .array(
      z.looseObject({
        resource: z.looseObject({ attributes: keyValues }).nullish(),
        scopeSpans: z
          .array(
            z.looseObject({
              scope: z.looseObject({ name: z.string().default(""), version: z.string().default("") }).nullish(),
              spans: z.array(spanSchema).default([]),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
});

/** The spans of a request by the run they belong to, and how many belong to none. */
interface ExportedSpans {
  readonly byRun: ReadonlyMap<string, readonly UserlandSpan[]>;
  readonly strangers: number;
}

/** What was exported, or what is wrong with it. */
export type ParsedExport =
  | { readonly ok: true; readonly spans: ExportedSpans }
  | { readonly ok: false; readonly message: string };

/** The SDK's span around a whole call: the trace has the call itself. */
const EXECUTION = "inngest.execution";

/** Parses a request in its JSON form. `secrets` are texts that must not be kept wherever they stand. */
export function parseTraceExport(value: unknown, secrets: readonly string[]): ParsedExport {
  const parsed = requestSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return {
      ok: false,
      message: `The traces are malformed at ${issue?.path.join(".") || "the body"}: ${issue?.message}`,
    };
  }
  const byRun = new Map<string, UserlandSpan[]>();
  let strangers = 0;
  let count = 0;
  for (const { resource, scopeSpans } of parsed.data.resourceSpans) {
    const about = resourceOf(attributesOf(resource?.attributes ?? [], secrets));
    for (const { scope, spans } of scopeSpans) {
      for (const span of spans) {
        if (++count > USERLAND.perRequest) {
          return { ok: false, message: `A request may have ${USERLAND.perRequest} spans.` };
        }
        const runId = runOf(span);
        if (runId === null) strangers++;
        else if (span.name !== EXECUTION) {
          const kept = spanOf(span, about, { name: scope?.name ?? "", version: scope?.version ?? "" }, secrets);
          byRun.set(runId, [...(byRun.get(runId) ?? []), kept]);
        }
      }
    }
  }
  return { ok: true, spans: { byRun, strangers } };
}

type WireSpan = z.infer<typeof spanSchema>;

function runOf(span: WireSpan): string | null {
  const told = textAt(span, "sdk.run.id");
  const runId = told ?? readTraceparent(textAt(span, "inngest.traceparent") ?? "")?.runId ?? null;
  return runId !== null && isUlid(runId) ? runId : null;
}

function spanOf(
  span: WireSpan,
  resource: JsonObject,
  scope: UserlandSpan["scope"],
  secrets: readonly string[],
): UserlandSpan {
  const context = readTraceparent(textAt(span, "inngest.traceparent") ?? "");
  const message = span.status?.message ?? null;
  return {
    id: span.spanId.toLowerCase(),
    parentId: /^[0-9a-f]{16}$/i.test(span.parentSpanId ?? "") ? (span.parentSpanId ?? "").toLowerCase() : null,
    name: maskText(span.name.slice(0, USERLAND.text), secrets),
    kind: span.kind,
    startedAt: span.startTimeUnixNano,
    endedAt: Math.max(span.startTimeUnixNano, span.endTimeUnixNano),
    failed: span.status?.code === 2,
    message: message === null ? null : maskText(message.slice(0, USERLAND.text), secrets),
    attributes: withoutPlumbing(attributesOf(span.attributes, secrets)),
    resource,
    scope,
    events: span.events.slice(0, USERLAND.events).map(({ timeUnixNano, name, attributes }) => ({
      name: name.slice(0, USERLAND.text),
      at: timeUnixNano,
      attributes: attributesOf(attributes, secrets),
    })),
    stepId: textAt(span, "inngest.step.hash"),
    delivery: context?.delivery ?? null,
  };
}

function textAt({ attributes }: WireSpan, key: string): string | null {
  const value = attributes.find((attribute) => attribute.key === key)?.value;
  const parsed = z.looseObject({ stringValue: z.string() }).safeParse(value);
  return parsed.success ? parsed.data.stringValue : null;
}

function attributesOf(attributes: z.infer<typeof keyValues>, secrets: readonly string[]): Record<string, Json> {
  const kept: Record<string, Json> = {};
  for (const { key, value } of attributes.slice(0, USERLAND.attributes)) {
    kept[key.slice(0, 256)] = attributeValue(value, key, secrets, USERLAND.depth);
  }
  return kept;
}

const anyValue = z.looseObject({
  stringValue: z.string().optional(),
  boolValue: z.boolean().optional(),
  intValue: z.union([z.string(), z.number()]).optional(),
  doubleValue: z.number().optional(),
  arrayValue: z.looseObject({ values: z.array(z.unknown()).default([]) }).optional(),
  kvlistValue: z.looseObject({ values: keyValues }).optional(),
});

function attributeValue(raw: unknown, key: string, secrets: readonly string[], levels: number): Json {
  const { data } = anyValue.safeParse(raw);
  if (data === undefined || levels === 0) return null;
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue } = data;
  if (stringValue !== undefined) return isCredentialName(key) ? "***" : shortened(maskText(stringValue, secrets));
  if (boolValue !== undefined) return boolValue;
  if (intValue !== undefined) return Number(intValue);
  if (doubleValue !== undefined) return doubleValue;
  if (arrayValue !== undefined) {
    return arrayValue.values
      .slice(0, USERLAND.attributes)
      .map((item) => attributeValue(item, key, secrets, levels - 1));
  }
  return Object.fromEntries(
    (kvlistValue?.values ?? [])
      .slice(0, USERLAND.attributes)
      .map((item) => [item.key, attributeValue(item.value, item.key, secrets, levels - 1)]),
  );
}

// Masked first, so that no part of a secret is left at the end.
function shortened(text: string): string {
  return text.length <= USERLAND.text ? text : `${text.slice(0, USERLAND.text)}…`;
}

/** Attributes that only tie the span to its run. */
function withoutPlumbing(attributes: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !/^(inngest|sdk|sys)\./.test(name)));
}

/** What is told of the process: not its command line, its user or its machine. */
function resourceOf(attributes: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(attributes).filter(([name]) => /^(service|telemetry|process\.runtime)\./.test(name)),
  );
}
