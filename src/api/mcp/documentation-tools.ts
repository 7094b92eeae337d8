/**
 * The tools that read this project's documentation (API-33), which is part of the bundle: no network is needed.
 * Patterns come from outside and are matched in linear time.
 */
import { RE2JS } from "@bufbuild/re2";
import * as z from "zod";
import { MillraceError, messageOf } from "../../errors.ts";
import { MCP } from "../../limits.ts";
import { DOCUMENTS } from "./documents.ts";
import { type Tool, tool } from "./tool.ts";

const grep = tool({
  name: "grep_docs",
  description: "Searches the documentation for a regular expression (RE2) and shows matching lines.",
  input: z.object({
    pattern: z.string().min(1).max(MCP.pattern),
    limit: z.number().int().min(1).max(MCP.matches.max).default(MCP.matches.default),
  }),
  run: (_call, { pattern, limit }) => {
    const expression = compile(pattern);
    const matches = Object.entries(DOCUMENTS).flatMap(([path, text]) =>
      text
        .split("\n")
        .flatMap((line, at) => (expression.test(line) ? [{ path, line: at + 1, text: line.trim() }] : [])),
    );
    return { matches: matches.slice(0, limit), total: matches.length };
  },
});

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE);
  } catch (error) {
    throw new MillraceError("invalid_request", `The pattern is not valid: ${messageOf(error)}`, { cause: error });
  }
}

const read = tool({
  name: "read_doc",
  description: "Reads a document whole; list_docs names them.",
  input: z.object({ path: z.string() }),
  run: (_call, { path }) => {
    const text = DOCUMENTS[path] ?? DOCUMENTS[`docs/${path}`];
    if (text !== undefined) return { path, text };
    throw new MillraceError("not_found", `There is no document "${path.slice(0, 200)}".`);
  },
});

const list = tool({
  name: "list_docs",
  description: "Lists the documents, with how many there are of each category and how many show code of each SDK.",
  input: z.object({}),
  run: () => {
    const files = Object.entries(DOCUMENTS).map(([path, text]) => ({
      path,
      title: /^# (.+)$/m.exec(text)?.[1] ?? path,
      category: categoryOf(path),
      sdks: SDKS.filter(([, fence]) => text.includes(fence)).map(([sdk]) => sdk),
    }));
    return {
      files,
      categories: countsOf(files.map(({ category }) => category)),
      sdks: countsOf(files.flatMap(({ sdks }) => sdks)),
    };
  },
});

/** SDKs by how their code is fenced. */
const SDKS = [
  ["typescript", "```ts"],
  ["python", "```py"],
  ["go", "```go"],
] as const;

function categoryOf(path: string): string {
  if (path.startsWith("docs/decisions/")) return "decisions";
  return path.startsWith("docs/") ? "guides" : "overview";
}

function countsOf(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** The tools. */
export const documentationTools: readonly Tool[] = [grep, read, list];
