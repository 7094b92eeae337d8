/**
 * The sources of transforms when they are stored (API-19). Owns which are refused then: what no delivery could ever be run with. Whether one
 * does what its author wants, only deliveries tell.
 */
import { MillraceError } from "../errors.ts";
import { runTransform, sourceFailure } from "./sandbox.ts";

/** Parses a text as the body of a function, inside the sandbox, and runs nothing of it. */
const PARSE = "(source) => { new Function(source); }";

/** Throws `invalid_request`, naming the failure, when a source is too large or is no JavaScript. */
export async function checkSource(source: string): Promise<void> {
  const refused = sourceFailure(source) ?? (await syntaxFailure(source));
  if (refused === null) return;
  throw new MillraceError("invalid_request", `The transform cannot be used: ${refused.name}: ${refused.message}`);
}

async function syntaxFailure(source: string) {
  const result = await runTransform(PARSE, { evt: source, headers: {}, queryParams: {}, raw: "" });
  return result.ok ? null : result.failure;
}
