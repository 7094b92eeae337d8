/**
 * One SELECT of a question as SQL. Pure. Owns what it is asked of: a table, of which it sees one environment's newest rows and only the columns it
 * names, or a sub-query; and the columns that aggregates add to its rows.
 */
import { isInternal } from "../history/events.ts";
import { compileExpression, isAggregated, type Scope } from "./compile-expression.ts";
import type { AnswerColumn, Compilation } from "./compiler.ts";
import { Refusal } from "./refusal.ts";
import { type Expression, type From, type Item, partsOf, type Select } from "./syntax.ts";
import { TABLES, type Table } from "./tables.ts";
import { type Typed, typed } from "./typed.ts";

/** A SELECT as SQL. Its columns are called `c0`, `c1` and so on there. */
export interface CompiledSelect {
  readonly sql: string;
  readonly columns: readonly AnswerColumn[];
}

/** Compiles a SELECT; at most `rows` of its rows are wanted. `outside`: aliases that its expressions may use besides its own. */
export function compileSelect(
  select: Select,
  compilation: Compilation,
  rows: number | null,
  outside: ReadonlyMap<string, Expression> = new Map(),
): CompiledSelect {
  return new SelectCompiler(select, compilation, outside).compile(rows);
}

/** What a SELECT is asked of. */
type Origin =
  | { readonly kind: "none" }
  | { readonly kind: "table"; readonly table: Table; readonly used: Set<string> }
  | { readonly kind: "select"; readonly compiled: CompiledSelect };

class SelectCompiler implements Scope {
  readonly compilation: Compilation;
  readonly aliases: ReadonlyMap<string, Expression>;
  groups: ReadonlySet<string> | null = null;
  readonly #select: Select;
  readonly #name: string;
  readonly #origin: Origin;
  /** Columns that aggregates added, by name. */
  readonly #windows = new Map<string, string>();
  readonly #lists = new Map<string, string>();
  #partition = "";

  constructor(select: Select, compilation: Compilation, outside: ReadonlyMap<string, Expression>) {
    this.#select = select;
    this.compilation = compilation;
    this.#name = compilation.name();
    this.#origin = originOf(select.from, compilation);
    const own = select.items.flatMap(({ alias, expression }) => (alias === null ? [] : [[alias, expression] as const]));
    this.aliases = new Map([...outside, ...own]);
  }

  compile(rows: number | null): CompiledSelect {
    const { where, having, orderBy, distinct, limit, offset } = this.#select;
    const items = this.#select.items.flatMap((item) => this.#expanded(item));
    const expressions = items.map(({ expression }) => expression);
    const groupBy = this.#select.groupBy.map((node) => {
      return noPlace(compileExpression(positional(node, expressions), this, "in GROUP BY").sql);
    });
    const later = [...(having === null ? [] : [having]), ...orderBy.map(({ by }) => by)];
    const aggregated = [...expressions, ...later].some((node) => isAggregated(node, this.aliases));
    const condition = where === null ? null : compileExpression(where, this, "in WHERE").sql;
    if (groupBy.length > 0) this.#partition = `PARTITION BY ${groupBy.join(", ")}`;
    if (groupBy.length > 0 || aggregated) this.groups = new Set(groupBy);
    const values = expressions.map((node) => compileExpression(node, this));
    const kept = having === null ? null : compileExpression(having, this).sql;
    const order = orderBy.map(({ by, descending }) => {
      return `${noPlace(compileExpression(positional(by, expressions), this).sql)} ${descending ? "DESC" : "ASC"}`;
    });
    const count = Math.min(limit ?? Number.MAX_SAFE_INTEGER, rows ?? Number.MAX_SAFE_INTEGER);
    const bounded = count < Number.MAX_SAFE_INTEGER || offset > 0;
    const sql = [
      `SELECT ${distinct ? "DISTINCT " : ""}${values.map((value, i) => `${value.sql} AS c${i}`).join(", ")}`,
      this.#from(condition),
      groupBy.length === 0 ? "" : `GROUP BY ${groupBy.join(", ")}`,
      kept === null ? "" : `HAVING ${kept}`,
      order.length === 0 ? "" : `ORDER BY ${order.join(", ")}`,
      bounded ? `LIMIT ${count} OFFSET ${offset}` : "",
    ];
    const columns = values.map(({ type }, i) => ({ name: items[i]?.label ?? "", type }));
    return { sql: sql.filter((part) => part !== "").join(" "), columns };
  }

  column(table: string | null, name: string, at: number): Typed {
    const origin = this.#origin;
    const { from } = this.#select;
    if (table !== null && table !== from?.alias && !(from?.kind === "table" && table === from.name)) {
      throw new Refusal(`"${table}" is not what is asked of`, at);
    }
    switch (origin.kind) {
      case "none":
        throw new Refusal(`there is no column "${name}" without FROM`, at);
      case "table": {
        const column = origin.table.columns.get(name);
        if (column === undefined) {
          const known = [...origin.table.columns.keys()].join(", ");
          throw new Refusal(`${origin.table.name} has no column "${name}"; it has ${known}`, at);
        }
        origin.used.add(name);
        return typed(`${this.#name}."${name}"`, column.type);
      }
      case "select": {
        const index = origin.compiled.columns.findIndex((column) => column.name === name);
        const column = origin.compiled.columns[index];
        if (column === undefined) throw new Refusal(`the sub-query has no column "${name}"`, at);
        return typed(`${this.#name}.c${index}`, column.type);
      }
    }
  }

  has(name: string): boolean {
    const origin = this.#origin;
    if (origin.kind === "table") return origin.table.columns.has(name);
    return origin.kind === "select" && origin.compiled.columns.some((column) => column.name === name);
  }

  window(write: (partition: string) => string): string {
    const sql = write(this.#partition);
    const known = [...this.#windows].find(([, other]) => other === sql);
    if (known !== undefined) return `${this.#name}.${known[0]}`;
    const name = `w${this.#windows.size}`;
    this.#windows.set(name, sql);
    return `${this.#name}.${name}`;
  }

  select(select: Select) {
    const compiled = compileSelect(select, this.compilation, null);
    return { sql: compiled.sql, columns: compiled.columns.map(({ type }) => typed("", type)) };
  }

  matching(of: Expression, pattern: string, at: number): string {
    // The same call may be written several times.
    const key = JSON.stringify([of, pattern]);
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const parameter = this.compilation.parameters.reserve(at);
    const item: Item = { expression: of, alias: null, label: "" };
    const { from, where } = this.#select;
    const values: Select = {
      at,
      distinct: true,
      items: [item],
      from,
      // What else must hold keeps the values few.
      where: conjunctsOf(where)
        .filter((node) => !contains(node, "match"))
        .reduce<Expression | null>(
          (left, right) => (left === null ? right : { kind: "binary", at, operator: "and", left, right }),
          null,
        ),
      groupBy: [],
      having: null,
      orderBy: [],
      limit: null,
      offset: 0,
    };
    this.compilation.matchings.push({ pattern, values, aliases: this.aliases, parameter, at });
    const list = `?${parameter + 1}`;
    this.#lists.set(key, list);
    return list;
  }

  /** What stands after SELECT and before GROUP BY. Where aggregates added columns, rows are chosen before these are computed. */
  #from(condition: string | null): string {
    const where = condition === null ? "" : ` WHERE ${condition}`;
    if (this.#windows.size === 0) {
      const origin = this.#originSql();
      return `${origin === null ? "" : `FROM ${origin} AS ${this.#name}`}${where}`;
    }
    const added = [...this.#windows].map(([name, sql]) => `${sql} AS ${name}`).join(", ");
    const origin = this.#originSql() ?? "(SELECT 1)";
    return `FROM (SELECT ${this.#name}.*, ${added} FROM ${origin} AS ${this.#name}${where}) AS ${this.#name}`;
  }

  #originSql(): string | null {
    const origin = this.#origin;
    switch (origin.kind) {
      case "none":
        return null;
      case "select":
        return `(${origin.compiled.sql})`;
      case "table":
        return this.#tableSql(origin.table, origin.used);
    }
  }

  /** The newest rows of an environment, and of them what is used. */
  #tableSql(table: Table, used: ReadonlySet<string>): string {
    const { parameters, environmentId } = this.compilation;
    const columns = [...used].map((name) => `${table.columns.get(name)?.sql} AS "${name}"`);
    const conditions = [`stored.environment_id = ${parameters.bind(environmentId)}`];
    const name = table.name === "events" ? this.#wantedName() : null;
    // The index has no names of the engine's own.
    const index = name === null ? "" : " INDEXED BY events_by_name";
    if (name !== null) conditions.push("stored.internal = 0", `stored.name = ${parameters.bind(name)}`);
    const newest = `ORDER BY stored.${table.id} DESC LIMIT ${this.compilation.read(table, name)}`;
    return `(SELECT ${columns.join(", ") || "1"} FROM ${table.stored} AS stored${index} WHERE ${conditions.join(" AND ")} ${newest})`;
  }

  /** The one event name that WHERE allows, if it says so plainly. */
  #wantedName(): string | null {
    for (const node of conjunctsOf(this.#select.where)) {
      if (node.kind !== "binary" || node.operator !== "=") continue;
      const { left, right } = node;
      if (left.kind !== "column" || left.name !== "name" || right.kind !== "literal") continue;
      if (left.table === null && this.aliases.has("name")) continue;
      if (typeof right.value === "string" && !isInternal(right.value)) return right.value;
    }
    return null;
  }

  /** `*` as the columns it stands for. */
  #expanded(item: Item): Item[] {
    const { at } = item.expression;
    if (item.expression.kind !== "star") return [item];
    const origin = this.#origin;
    if (origin.kind === "none") throw new Refusal("* needs FROM", at);
    const names =
      origin.kind === "table" ? [...origin.table.columns.keys()] : origin.compiled.columns.map(({ name }) => name);
    return names.map((name) => ({ expression: { kind: "column", at, table: null, name }, alias: null, label: name }));
  }
}

function originOf(from: From | null, compilation: Compilation): Origin {
  if (from === null) return { kind: "none" };
  if (from.kind === "select") return { kind: "select", compiled: compileSelect(from.select, compilation, null) };
  const table = TABLES.get(from.name.toLowerCase());
  if (table !== undefined) return { kind: "table", table, used: new Set() };
  throw new Refusal(`there is no table "${from.name}"; there are ${[...TABLES.keys()].join(" and ")}`, from.at);
}

/** A whole number in GROUP BY or ORDER BY stands for that column of the answer. */
function positional(node: Expression, items: readonly Expression[]): Expression {
  if (node.kind !== "literal" || typeof node.value !== "number") return node;
  const item = items[node.value - 1];
  if (item === undefined) throw new Refusal(`there is no column ${node.value} in the answer`, node.at);
  return item;
}

/** A number that is none of a column: the database would take it for one. */
function noPlace(sql: string): string {
  return /^[(]?-?\d+[)]?$/.test(sql) ? `CAST(${sql} AS INTEGER)` : sql;
}

/** The operands of the outermost ANDs. */
function conjunctsOf(node: Expression | null): readonly Expression[] {
  if (node === null) return [];
  if (node.kind !== "binary" || node.operator !== "and") return [node];
  return [...conjunctsOf(node.left), ...conjunctsOf(node.right)];
}

function contains(node: Expression, name: string): boolean {
  return (node.kind === "call" && node.name === name) || partsOf(node).some((part) => contains(part, name));
}
