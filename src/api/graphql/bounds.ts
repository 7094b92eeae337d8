/**
 * How much a GraphQL document may ask (API-23): nesting, fields and roots, with every fragment expanded, before anything of it is executed.
 * Pure. Guarantees an answer in time linear in the document, however its fragments refer to each other.
 */
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from "graphql";
import { GRAPHQL } from "../../limits.ts";

interface Measure {
  readonly depth: number;
  readonly fields: number;
}

const OUTSIDE = /"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*/g;

/** Why a text is not even parsed: parsing recurses, and brackets beyond number would exhaust the stack. Null when it may be. */
export function nestingFault(query: string): GraphQLError | null {
  let depth = 0;
  let deepest = 0;
  for (const character of query.replace(OUTSIDE, "")) {
    if (character === "{" || character === "(" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === "}" || character === ")" || character === "]") depth--;
  }
  return deepest > GRAPHQL.brackets ? fault("is nested", deepest, GRAPHQL.brackets, "brackets deep") : null;
}

/** Why a document is refused; null when it is not. */
export function boundsFault(document: DocumentNode): GraphQLError | null {
  const fragments = new Map<string, FragmentDefinitionNode>();
  const operations: OperationDefinitionNode[] = [];
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition);
  }
  const measured = new Map<string, Measure>();
  for (const { selectionSet } of operations) {
    const { depth, fields } = measure(selectionSet, fragments, measured);
    const roots = rootsOf(selectionSet, fragments, new Set());
    if (depth > GRAPHQL.depth) return fault("is nested", depth, GRAPHQL.depth, "levels deep");
    if (fields > GRAPHQL.fields) return fault("asks for", fields, GRAPHQL.fields, "fields");
    if (roots > GRAPHQL.roots) return fault("begins with", roots, GRAPHQL.roots, "fields");
  }
  return null;
}

function measure(
  { selections }: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  measured: Map<string, Measure>,
): Measure {
  let depth = 0;
  let fields = 0;
  for (const selection of selections) {
    const below =
      selection.kind === Kind.FRAGMENT_SPREAD
        ? measureFragment(selection.name.value, fragments, measured)
        : selection.selectionSet === undefined
          ? NOTHING
          : measure(selection.selectionSet, fragments, measured);
    const own = selection.kind === Kind.FIELD ? 1 : 0;
    depth = Math.max(depth, own + below.depth);
    fields += own + below.fields;
  }
  return { depth, fields };
}

const NOTHING: Measure = { depth: 0, fields: 0 };

function measureFragment(
  name: string,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  measured: Map<string, Measure>,
): Measure {
  const known = measured.get(name);
  const fragment = fragments.get(name);
  if (known !== undefined || fragment === undefined) return known ?? NOTHING;
  // One that spreads itself counts once; validation refuses it.
  measured.set(name, NOTHING);
  const own = measure(fragment.selectionSet, fragments, measured);
  measured.set(name, own);
  return own;
}

function rootsOf(
  { selections }: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  seen: ReadonlySet<string>,
): number {
  let roots = 0;
  for (const selection of selections) {
    if (roots > GRAPHQL.roots) break;
    if (selection.kind === Kind.FIELD) roots++;
    else if (selection.kind === Kind.INLINE_FRAGMENT) roots += rootsOf(selection.selectionSet, fragments, seen);
    else {
      const name = selection.name.value;
      const fragment = fragments.get(name);
      if (fragment !== undefined && !seen.has(name)) {
        roots += rootsOf(fragment.selectionSet, fragments, new Set([...seen, name]));
      }
    }
  }
  return roots;
}

function fault(verb: string, found: number, limit: number, what: string): GraphQLError {
  return new GraphQLError(`The query ${verb} ${found} ${what}; the limit is ${limit}.`, {
    extensions: { code: "invalid_request" },
  });
}
