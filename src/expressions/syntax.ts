/**
 * The syntax tree of an expression: a closed union of plain nodes, independent of the library that parses. Owns the shapes and how to walk
 * them; positions are offsets into the source.
 */
import type { TypeName, Uint } from "./value.ts";

/** What a literal can be. */
export type LiteralValue = null | boolean | number | bigint | string | Uint | TypeName;

/** The operators of two operands, `&&` and `||` aside. */
export type BinaryOperator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "+" | "-" | "*" | "/" | "%";

/** The list macros with a variable (XP-7). */
export type MacroName = "exists" | "exists_one" | "all" | "map" | "filter";

/** A field access: what `has` takes. */
export type Access =
  | { readonly kind: "member"; readonly at: number; readonly target: Node; readonly name: string }
  | { readonly kind: "index"; readonly at: number; readonly target: Node; readonly index: Node };

/** A call of a list macro: `over.name(variable, where?, body?)`. */
export interface Macro {
  readonly kind: "macro";
  readonly at: number;
  readonly name: MacroName;
  readonly over: Node;
  readonly variable: string;
  /** The condition on an element; null for `map` without one. */
  readonly where: Node | null;
  /** What `map` makes of an element; null for the others. */
  readonly body: Node | null;
}

/** One node. `at` is the offset in the source that an error about it points to. */
export type Node =
  | { readonly kind: "literal"; readonly at: number; readonly value: LiteralValue }
  | { readonly kind: "name"; readonly at: number; readonly name: string }
  | Access
  | { readonly kind: "list"; readonly at: number; readonly items: readonly Node[] }
  | { readonly kind: "map"; readonly at: number; readonly entries: readonly (readonly [key: Node, value: Node])[] }
  | { readonly kind: "not"; readonly at: number; readonly operand: Node }
  | { readonly kind: "negate"; readonly at: number; readonly operand: Node }
  | {
      readonly kind: "binary";
      readonly at: number;
      readonly operator: BinaryOperator;
      readonly left: Node;
      readonly right: Node;
    }
  | {
      readonly kind: "logic";
      readonly at: number;
      readonly operator: "&&" | "||";
      readonly left: Node;
      readonly right: Node;
    }
  | { readonly kind: "choice"; readonly at: number; readonly condition: Node; readonly yes: Node; readonly no: Node }
  | { readonly kind: "has"; readonly at: number; readonly access: Access }
  | {
      readonly kind: "call";
      readonly at: number;
      readonly name: string;
      readonly receiver: Node | null;
      readonly given: readonly Node[];
    }
  | Macro;

/** The direct parts of a node. */
export function partsOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case "literal":
    case "name":
      return [];
    case "member":
      return [node.target];
    case "index":
      return [node.target, node.index];
    case "list":
      return node.items;
    case "map":
      return node.entries.flat();
    case "not":
    case "negate":
      return [node.operand];
    case "binary":
    case "logic":
      return [node.left, node.right];
    case "choice":
      return [node.condition, node.yes, node.no];
    case "has":
      return [node.access];
    case "call":
      return node.receiver === null ? node.given : [node.receiver, ...node.given];
    case "macro":
      return [node.over, node.where, node.body].filter((part) => part !== null);
  }
}

/** The field an access names in the source, as `a.b` or `a["b"]`; null when it is computed or a position. */
export function fieldName(access: Access): string | null {
  if (access.kind === "member") return access.name;
  return access.index.kind === "literal" && typeof access.index.value === "string" ? access.index.value : null;
}

/** True when the node or any part of it satisfies the test. */
export function contains(node: Node, test: (node: Node) => boolean): boolean {
  return test(node) || partsOf(node).some((part) => contains(part, test));
}

/** True when the node reads the variable of that name, macro variables of the same name aside. */
export function reads(node: Node, variable: string): boolean {
  if (node.kind === "name") return node.name === variable;
  if (node.kind === "macro" && node.variable === variable) return reads(node.over, variable);
  return partsOf(node).some((part) => reads(part, variable));
}
