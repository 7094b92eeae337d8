/**
 * The syntax tree of a question: a closed union of plain nodes. Owns the shapes; `at` is the offset in the text that an error points to.
 */

/** Operators of two operands. */
export type BinaryOperator = "and" | "or" | "=" | "<>" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "%" | "||";

/** An expression. */
export type Expression =
  | { readonly kind: "literal"; readonly at: number; readonly value: string | number | null }
  /** `table` is null when the name stands alone. */
  | { readonly kind: "column"; readonly at: number; readonly table: string | null; readonly name: string }
  /** `*`, alone or as the argument of `count`. */
  | { readonly kind: "star"; readonly at: number }
  | Call
  | { readonly kind: "not" | "negate"; readonly at: number; readonly operand: Expression }
  | {
      readonly kind: "binary";
      readonly at: number;
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: "case";
      readonly at: number;
      readonly operand: Expression | null;
      readonly branches: readonly { readonly when: Expression; readonly result: Expression }[];
      readonly otherwise: Expression | null;
    }
  | {
      readonly kind: "in";
      readonly at: number;
      readonly operand: Expression;
      readonly among: readonly Expression[] | Select;
      readonly negated: boolean;
    }
  | {
      readonly kind: "between";
      readonly at: number;
      readonly operand: Expression;
      readonly low: Expression;
      readonly high: Expression;
      readonly negated: boolean;
    }
  | {
      readonly kind: "like";
      readonly at: number;
      readonly operand: Expression;
      readonly pattern: string;
      /** `ILIKE`. */
      readonly folded: boolean;
      readonly negated: boolean;
    }
  | { readonly kind: "null"; readonly at: number; readonly operand: Expression; readonly negated: boolean }
  | { readonly kind: "subquery"; readonly at: number; readonly select: Select };

/** A call: `name(given)`, or `name(parameters)(given)`. */
export interface Call {
  readonly kind: "call";
  readonly at: number;
  /** In lower case. */
  readonly name: string;
  /** As it was written. */
  readonly spelled: string;
  readonly parameters: readonly Expression[];
  readonly given: readonly Expression[];
  readonly distinct: boolean;
}

/** One column of an answer; `label` is what it is called, `alias` what other parts may call it. */
export interface Item {
  readonly expression: Expression;
  readonly alias: string | null;
  readonly label: string;
}

/** What is asked of. */
export type From =
  | { readonly kind: "table"; readonly at: number; readonly name: string; readonly alias: string | null }
  | { readonly kind: "select"; readonly at: number; readonly select: Select; readonly alias: string | null };

/** One SELECT. */
export interface Select {
  readonly at: number;
  readonly distinct: boolean;
  readonly items: readonly Item[];
  readonly from: From | null;
  readonly where: Expression | null;
  readonly groupBy: readonly Expression[];
  readonly having: Expression | null;
  readonly orderBy: readonly { readonly by: Expression; readonly descending: boolean }[];
  readonly limit: number | null;
  readonly offset: number;
}

/** The direct parts of an expression; a sub-query is a world of its own. */
export function partsOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case "literal":
    case "column":
    case "star":
    case "subquery":
      return [];
    case "call":
      return node.given;
    case "not":
    case "negate":
    case "like":
    case "null":
      return [node.operand];
    case "binary":
      return [node.left, node.right];
    case "case":
      return [
        ...(node.operand === null ? [] : [node.operand]),
        ...node.branches.flatMap(({ when, result }) => [when, result]),
        ...(node.otherwise === null ? [] : [node.otherwise]),
      ];
    case "in":
      return [node.operand, ...("items" in node.among ? [] : node.among)];
    case "between":
      return [node.operand, node.low, node.high];
  }
}
