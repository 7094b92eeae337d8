/**
 * GraphQL as tools ask it: the very fields of protocol/12 §12.5. Owns the queries; an error in an answer fails the test with its words.
 */
import * as z from "zod";
import type { TestEngine } from "../harness/engine.ts";

const answerSchema = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z.array(z.looseObject({ message: z.string() })).optional(),
});

/** What `POST /v0/gql` answers, errors included. */
export async function ask(
  { api }: Pick<TestEngine, "api">,
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
) {
  const { status, json, text } = await api("POST", "/v0/gql", { query, variables });
  if (status !== 200) throw new Error(`POST /v0/gql: ${status} ${text}`);
  return answerSchema.parse(json);
}

/** The data of an answer without errors. */
export async function gql(
  engine: Pick<TestEngine, "api">,
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<Record<string, unknown>> {
  const { data, errors } = await ask(engine, query, variables);
  if (errors !== undefined) throw new Error(errors.map(({ message }) => message).join("\n"));
  return data ?? {};
}

const FIELDS = `
  name isRoot status attempts duration outputID stepOp stepType stepID queuedAt startedAt endedAt isUserland
  userlandSpan { spanName spanKind serviceName spanAttrs }
  metadata { scope kind values updatedAt }
  stepInfo {
    __typename
    ... on RunStepInfo { type }
    ... on SleepStepInfo { sleepUntil }
    ... on WaitForEventStepInfo { eventName expression timeout foundEventID timedOut }
    ... on InvokeStepInfo { triggeringEventID functionID timeout returnEventID runID timedOut }
    ... on WaitForSignalStepInfo { signal timeout timedOut }
  }`;

const TRACE = `query Trace($id: String!) { run(runID: $id) { id status output traceID trace(preview: true) {
  ${FIELDS} childrenSpans { ${FIELDS} childrenSpans { ${FIELDS} childrenSpans { ${FIELDS} } } }
} } }`;

const spanSchema = z.looseObject({
  name: z.string(),
  isRoot: z.boolean(),
  status: z.string(),
  attempts: z.number().nullable(),
  duration: z.number().nullable(),
  outputID: z.string().nullable(),
  stepOp: z.string().nullable(),
  stepType: z.string(),
  stepID: z.string().nullable(),
  isUserland: z.boolean(),
  userlandSpan: z
    .object({ spanName: z.string(), spanKind: z.string(), serviceName: z.string().nullable(), spanAttrs: z.string() })
    .nullable(),
  metadata: z.array(z.looseObject({ scope: z.string(), kind: z.string(), values: z.record(z.string(), z.unknown()) })),
  stepInfo: z.looseObject({ __typename: z.string() }).nullable(),
  get childrenSpans() {
    return z.array(spanSchema).default([]);
  },
});

/** A span of a trace, as far as tests look. */
export type GqlSpan = z.infer<typeof spanSchema>;

const runSchema = z.object({
  run: z.object({
    id: z.string(),
    status: z.string(),
    output: z.string().nullable(),
    traceID: z.string(),
    trace: spanSchema,
  }),
});

/** A run with its trace. */
export async function traceOf(engine: Pick<TestEngine, "api">, runId: string) {
  return runSchema.parse(await gql(engine, TRACE, { id: runId })).run;
}

/** The child with this name; throws when it is not the only one. */
export function child(span: GqlSpan, name: string): GqlSpan {
  const found = span.childrenSpans.filter((one) => one.name === name);
  const [first] = found;
  const names = span.childrenSpans.map((one) => one.name).join(", ");
  if (first === undefined || found.length > 1) throw new Error(`${found.length} spans "${name}" among ${names}`);
  return first;
}

const outputSchema = z.object({
  runTraceSpanOutputByID: z
    .object({
      data: z.string().nullable(),
      input: z.string().nullable(),
      error: z
        .object({ name: z.string().nullable(), message: z.string(), stack: z.string().nullable(), cause: z.unknown() })
        .nullable(),
    })
    .nullable(),
});

/** The output behind a span. */
export async function outputOf(engine: Pick<TestEngine, "api">, { outputID }: GqlSpan) {
  const query = `query Output($id: String!) {
    runTraceSpanOutputByID(outputID: $id) { data input error { name message stack cause } }
  }`;
  return outputSchema.parse(await gql(engine, query, { id: outputID })).runTraceSpanOutputByID;
}
