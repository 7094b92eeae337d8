/**
 * What is typed into a search field as an expression (OB-1): each line is a condition, and all of them must hold. Pure. Owns where a line ends:
 * not inside brackets or quotes, nor next to an operator that wants another side.
 */
import { compileCached } from "../expressions/cache.ts";
import type { CompileError, CompileResult } from "../expressions/expression.ts";

/** The uses of expressions in searches. */
export type SearchPlace = "event_search" | "run_search";

/** Quoted texts and comments, which are no structure; brackets; new lines. */
const TOKEN =
  /"""(?:[^\\]|\\.)*?"""|'''(?:[^\\]|\\.)*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\/\/[^\n]*|[([{]|[)\]}]|\n/gs;
/** What a line cannot end, or begin, with: the other side is on the next line, or the one before. */
const GOES_ON = /(?:[&|=<>+\-*/%?:,.!]|\bin)$/;
const GOES_BACK = /^(?:&&|\|\||==|!=|[<>+*/%?:,.)\]}]|in\b)/;

/** A condition and the line it begins on, from 1. */
export interface SourceLine {
  readonly text: string;
  readonly line: number;
}

/** The conditions of a text, in order; empty lines are none. */
export function linesOf(source: string): SourceLine[] {
  const lines: SourceLine[] = [];
  let [begin, line, next, depth] = [0, 1, 1, 0];
  /** The text of the line so far without comments, to see what it ends with. */
  const codeOf = (text: string) => text.replace(TOKEN, (token) => (token.startsWith("//") ? "" : token)).trim();
  const flush = (end: number) => {
    const text = source.slice(begin, end);
    if (codeOf(text) !== "") lines.push({ text, line });
  };
  for (const { 0: token, index } of source.matchAll(TOKEN)) {
    if (/^[([{]$/.test(token)) depth++;
    else if (/^[)\]}]$/.test(token)) depth--;
    next += token.match(/\n/g)?.length ?? 0;
    if (token !== "\n" || depth > 0) continue;
    const code = codeOf(source.slice(begin, index));
    if (code !== "" && (GOES_ON.test(code) || GOES_BACK.test(source.slice(index).trimStart()))) continue;
    flush(index);
    [begin, line] = [index + 1, next];
  }
  flush(source.length);
  return lines;
}

/** Compiles the text of a search. Errors tell line and column of the text. */
export function compileSearch(source: string, place: SearchPlace): CompileResult {
  const lines = linesOf(source);
  // A text without conditions is refused just as an empty expression is.
  if (lines.length === 0) return compileCached(source, place);
  for (const { text, line } of lines) {
    const compiled = compileCached(text, place);
    if (!compiled.ok) return { ok: false, error: moved(compiled.error, line) };
    if (lines.length === 1) return compiled;
  }
  // What is left to refuse is its size as a whole; a comment must not swallow the bracket.
  return compileCached(lines.map(({ text }) => `(${text}\n)`).join(" && "), place);
}

function moved({ message, line, column }: CompileError, from: number): CompileError {
  return { message, line: line + from - 1, column };
}
