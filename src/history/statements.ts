/**
 * SQL scripts cut into statements, because D1 prepares one at a time. Pure.
 * Knows comments, strings and quoted names, so that a semicolon inside them ends nothing; triggers, whose bodies hold
 * semicolons of their own, are refused.
 */

const TOKEN =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|;|[^-/'"`[;]+|[\s\S]/g;
const TRIGGER = /^create\s+(?:temp\s+|temporary\s+)?trigger\b/i;

/** The statements of a script, without comments, empty ones and closing semicolons. Throws on `CREATE TRIGGER`. */
export function splitStatements(script: string): string[] {
  const statements: string[] = [];
  let current = "";
  const flush = () => {
    const statement = current.trim();
    if (TRIGGER.test(statement)) throw new Error("A migration must not create triggers: their bodies cannot be split.");
    if (statement !== "") statements.push(statement);
    current = "";
  };
  for (const [token] of script.matchAll(TOKEN)) {
    if (token === ";") flush();
    else if (token.startsWith("--") || token.startsWith("/*")) current += " ";
    else current += token;
  }
  flush();
  return statements;
}
