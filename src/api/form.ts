/**
 * Forms, as the dev tools of the original send them (protocol/12 §12.2). Owns how a missing field is refused.
 */
import type { Context } from "hono";
import { MillraceError } from "../errors.ts";
import { readBody } from "../events/body.ts";
import { COMMAND } from "../limits.ts";
import type { Api } from "./api.ts";

/** The fields of a form, by name. Throws `invalid_request` when one is not there, and `request_too_large`. */
export async function formOf<Name extends string>(
  context: Context<Api>,
  ...names: readonly Name[]
): Promise<Record<Name, string>> {
  const text = await readBody(context.req.raw, COMMAND.bodyBytes);
  return fieldsOf(new URLSearchParams(text), names, "form");
}

/** The same of a query string. */
export function queryOf<Name extends string>(context: Context<Api>, ...names: readonly Name[]): Record<Name, string> {
  return fieldsOf(new URL(context.req.url).searchParams, names, "query");
}

function fieldsOf<Name extends string>(given: URLSearchParams, names: readonly Name[], where: string) {
  const fields: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const value = given.get(name);
    if (value === null || value === "") throw new MillraceError("invalid_request", `The ${where} has no ${name}.`);
    fields[name] = value;
  }
  // Every name was set just above.
  return fields as Record<Name, string>;
}
