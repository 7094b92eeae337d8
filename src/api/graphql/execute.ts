/**
 * Executes one GraphQL request (API-23). Owns its order: parse, bounds, validate, resolve; and the form of errors, which carry the codes of the
 * engine's table. Guarantees that a document beyond the bounds is refused before anything of it runs, and that internal errors reveal nothing.
 */
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from "graphql";
import { MillraceError, messageOf } from "../../errors.ts";
import { GRAPHQL } from "../../limits.ts";
import { boundsFault, nestingFault } from "./bounds.ts";
import type { GraphqlContext } from "./context.ts";
import { ROOT_VALUE, schemaOnce } from "./schema.ts";

/** What a client asks. */
export interface GraphqlRequest {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>> | null;
  readonly operationName: string | null;
}

/** What it is answered: data, errors, or both. */
export interface GraphqlAnswer {
  readonly data?: unknown;
  readonly errors?: readonly object[];
}

/** Answers a request. Never throws because of what the client wrote. */
export async function answer(request: GraphqlRequest, context: GraphqlContext): Promise<GraphqlAnswer> {
  const document = parsed(request.query);
  if (document instanceof GraphQLError) return { errors: [document.toJSON()] };
  const faults = faultsOf(document, context);
  if (faults.length > 0) return { errors: faults.map((fault) => fault.toJSON()) };
  return answerOf(
    await execute({
      schema: schemaOnce(),
      document,
      rootValue: ROOT_VALUE,
      contextValue: context,
      variableValues: request.variables,
      operationName: request.operationName,
    }),
  );
}

function parsed(query: string): DocumentNode | GraphQLError {
  const beyond = nestingFault(query);
  if (beyond !== null) return beyond;
  try {
    return parse(query, { maxTokens: GRAPHQL.tokens });
  } catch (error) {
    return error instanceof GraphQLError ? error : new GraphQLError(messageOf(error));
  }
}

function faultsOf(document: DocumentNode, { settings, mayWrite }: GraphqlContext): readonly GraphQLError[] {
  const beyond = boundsFault(document);
  if (beyond !== null) return [beyond];
  const changes = document.definitions.some((part) => "operation" in part && part.operation === "mutation");
  if (changes && !mayWrite) return [new GraphQLError("Mutations need a key that may write.")];
  const rules = settings.mode === "dev" ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  return validate(schemaOnce(), document, rules, { maxErrors: 20 });
}

function answerOf({ data, errors }: ExecutionResult): GraphqlAnswer {
  return { ...(data === undefined ? {} : { data }), ...(errors === undefined ? {} : { errors: errors.map(shown) }) };
}

function shown(error: GraphQLError): object {
  const { originalError } = error;
  if (originalError === null || originalError === undefined || originalError instanceof GraphQLError)
    return error.toJSON();
  const { path, locations } = error.toJSON();
  const known = originalError instanceof MillraceError ? originalError : null;
  if (known === null) console.error(`graphql ${path?.join(".")}: ${messageOf(originalError)}`);
  const message = known?.message ?? "The engine failed; its log has the reason.";
  return { message, locations, path, extensions: { code: known?.code ?? "internal_error" } };
}
