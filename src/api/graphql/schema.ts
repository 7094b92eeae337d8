/**
 * The GraphQL schema: what all nouns say, put together once per isolate, when somebody asks for the first time.
 */
import { buildSchema, type GraphQLSchema } from "graphql";
import { appNoun } from "./app.ts";
import type { Noun } from "./context.ts";
import { eventNoun } from "./event.ts";
import { functionNoun } from "./function.ts";
import { runNoun } from "./run.ts";
import { runsNoun } from "./runs.ts";
import { traceNoun } from "./trace.ts";
import { unsupportedNoun } from "./unsupported.ts";

const NOUNS: readonly Noun[] = [appNoun, eventNoun, functionNoun, runNoun, runsNoun, traceNoun, unsupportedNoun];

/** Scalars are what JSON carries; each resolver that is given one checks it. */
const BASE = `
  scalar Time scalar ULID scalar UUID scalar Bytes scalar Unknown scalar Map scalar Int64 scalar Uint
  type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
  type Query
  type Mutation
`;

let schema: GraphQLSchema | undefined;

/** The schema. */
export function schemaOnce(): GraphQLSchema {
  schema ??= buildSchema([BASE, ...NOUNS.map(({ sdl }) => sdl)].join("\n"));
  return schema;
}

/** The resolvers of both roots: their names do not meet. */
export const ROOT_VALUE: Readonly<Record<string, unknown>> = Object.assign(
  {},
  ...NOUNS.map(({ resolvers }) => resolvers),
);
