/**
 * A question's text as tokens, in ClickHouse's spelling (OB-21). Pure. Owns quoting and comments; guarantees that every character of the text
 * belongs to a token, a comment or white space, or is refused.
 */
import { INSIGHTS } from "../limits.ts";
import { Refusal } from "./refusal.ts";

/** One token. `text` of a word is as it was written, of a text or quoted name what it stands for. */
export interface Token {
  readonly kind: "word" | "name" | "text" | "number" | "sign" | "end";
  readonly text: string;
  readonly at: number;
}

const TOKEN =
  /(?<blank>\s+|--[^\n]*|\/\*[\s\S]*?\*\/)|(?<word>[A-Za-z_][A-Za-z0-9_]*)|(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<text>'(?:[^'\\]|\\[\s\S]|'')*')|(?<name>"(?:[^"\\]|\\[\s\S]|"")*"|`(?:[^`\\]|\\[\s\S]|``)*`)|(?<sign><=|>=|<>|!=|==|\|\||::|->|\/(?!\*)|[-+*%=<>(),.;])/uy;

/** The tokens of a text, an end last. Throws {@link Refusal}. */
export function tokensOf(source: string): Token[] {
  if (source.length > INSIGHTS.characters) {
    throw new Refusal(`a question may have at most ${INSIGHTS.characters} characters`, INSIGHTS.characters);
  }
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; at < source.length; at = TOKEN.lastIndex) {
    const { groups } = TOKEN.exec(source) ?? {};
    if (groups === undefined) throw unknown(source, at);
    const { blank, word, number, text, name, sign } = groups;
    if (blank !== undefined) continue;
    if (word !== undefined) tokens.push({ kind: "word", text: word, at });
    else if (number !== undefined) tokens.push({ kind: "number", text: number, at });
    else if (text !== undefined) tokens.push({ kind: "text", text: unquoted(text), at });
    else if (name !== undefined) tokens.push({ kind: "name", text: unquoted(name), at });
    else if (sign !== undefined) tokens.push({ kind: "sign", text: sign, at });
  }
  tokens.push({ kind: "end", text: "", at: source.length });
  return tokens;
}

function unknown(source: string, at: number): Refusal {
  const rest = source.slice(at);
  if (rest.startsWith("/*")) return new Refusal("a comment does not end", at);
  if (/^['"`]/.test(rest)) return new Refusal(`a quoted text does not end`, at);
  // A pair of surrogates is one character.
  return new Refusal(`${JSON.stringify(String.fromCodePoint(rest.codePointAt(0) ?? 0))} is not understood`, at);
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "0": "\0", b: "\b", f: "\f" };

/** What a quoted text stands for: quotes are doubled inside it, or escaped like other characters. */
function unquoted(quoted: string): string {
  const quote = quoted.charAt(0);
  return quoted
    .slice(1, -1)
    .replace(/\\([\s\S])|''|""|``/g, (pair, escaped?: string) =>
      escaped !== undefined ? (ESCAPES[escaped] ?? escaped) : pair.startsWith(quote) ? quote : pair,
    );
}
