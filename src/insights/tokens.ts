/**
 * The tokens of a question as its parsers take them, one after the other. Pure. Owns the words of the language, the wording of refusals and the
 * bounds on size and depth; guarantees that whatever walks the tree may recurse.
 */
import { INSIGHTS } from "../limits.ts";
import { type Token, tokensOf } from "./lexer.ts";
import { Refusal } from "./refusal.ts";

/** Words with a place in the grammar: they name nothing. */
const RESERVED = new Set(
  "select from where group by having order limit offset and or not in between like ilike is null case when then else end as distinct asc desc true false".split(
    " ",
  ),
);

/** Words of SQL that begin something else, which is refused by its name wherever it stands. */
const REFUSED = new Set(
  "with join inner left right full outer cross natural asof on using union intersect except over window partition qualify interval array prewhere sample final format settings into cast exists any all nulls fill top collate insert update delete drop create alter attach detach pragma truncate replace rename explain describe show set use grant revoke vacuum begin commit rollback returning values recursive materialized global escape ties rollup cube totals".split(
    " ",
  ),
);

export class Tokens {
  readonly #tokens: readonly Token[];
  #place = 0;
  #nodes = 0;
  #depth = 0;

  constructor(source: string) {
    this.#tokens = tokensOf(source);
  }

  /** The token that is next; with `ahead` one that comes later. */
  peek(ahead = 0): Token {
    const token = this.#tokens[Math.min(this.#place + ahead, this.#tokens.length - 1)];
    if (token === undefined) throw new RangeError("A text has at least its end.");
    return token;
  }

  take(): Token {
    const token = this.peek();
    if (token.kind !== "end") this.#place++;
    return token;
  }

  /** Whether these words or signs are next; words in lower case. */
  is(...texts: readonly string[]): boolean {
    return texts.every((text, i) => matches(this.peek(i), text));
  }

  /** Takes these words or signs if they are next. */
  accept(...texts: readonly string[]): boolean {
    if (!this.is(...texts)) return false;
    this.#place += texts.length;
    return true;
  }

  /** Takes a word or sign that must be next. */
  expect(text: string): Token {
    if (!this.is(text)) throw this.refusal(`${text.toUpperCase()} is wanted`);
    return this.take();
  }

  /** Takes a name: one in quotes, or a word that has no place in the grammar. */
  name(what: string): Token {
    const token = this.peek();
    if (token.kind === "name" || (token.kind === "word" && !isReserved(token))) return this.take();
    throw this.refusal(`${what} is wanted`);
  }

  /** Whether a name is next. */
  isName(): boolean {
    const token = this.peek();
    return token.kind === "name" || (token.kind === "word" && !isReserved(token));
  }

  /** The refusal of what is next: by its own name where it is something that SQL has and questions have not. */
  refusal(wanted: string): Refusal {
    const token = this.peek();
    if (token.kind === "end") return new Refusal(`the question ends where ${wanted}`, token.at);
    if (token.kind === "word" && REFUSED.has(token.text.toLowerCase())) {
      return new Refusal(`${token.text.toUpperCase()} is not supported`, token.at);
    }
    return new Refusal(`unexpected ${JSON.stringify(token.text)} where ${wanted}`, token.at);
  }

  /** Counts a node of the tree. */
  count(): void {
    this.#nodes++;
    if (this.#nodes > INSIGHTS.nodes) {
      throw new Refusal(`a question may have at most ${INSIGHTS.nodes} parts`, this.peek().at);
    }
  }

  /** Parses something that is nested in what is being parsed. */
  nested<Result>(parse: () => Result): Result {
    this.#depth++;
    if (this.#depth > INSIGHTS.depth) {
      throw new Refusal(`a question may be nested at most ${INSIGHTS.depth} deep`, this.peek().at);
    }
    const result = parse();
    this.#depth--;
    return result;
  }
}

function isReserved({ text }: Token): boolean {
  const word = text.toLowerCase();
  return RESERVED.has(word) || REFUSED.has(word);
}

function matches({ kind, text }: Token, wanted: string): boolean {
  if (kind === "word") return text.toLowerCase() === wanted;
  return kind === "sign" && text === wanted;
}
