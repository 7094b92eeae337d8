/**
 * A delivery: what a provider sent, and what of it a transform is called with (EV-30, EV-31). Owns how a body is read by its content type and
 * how headers are named. Guarantees that body and header values stay as they came (EV-33), so that signatures can be checked.
 */
import type { NamedBranch } from "../events/key.ts";
import { type Json, parseJson } from "../json.ts";
import { readForm } from "./form.ts";
import type { TransformArguments } from "./sandbox.ts";

/** A delivery as it is kept to be run again (EV-32). An alias, so that it counts as JSON. */
export type Delivery = {
  /** By canonical name; several values of one name are joined by a comma and a blank. */
  readonly headers: Readonly<Record<string, string>>;
  /** The query of the URL, without the question mark. */
  readonly query: string;
  /** The body as text, unchanged. */
  readonly body: string;
};

/** The delivery that is a request; `body` is its text, its byte order mark included. */
export function deliveryOf(request: { readonly url: string; readonly headers: Headers }, body: string): Delivery {
  const headers: [string, string][] = [];
  request.headers.forEach((value, name) => {
    headers.push([canonicalName(name), value]);
  });
  // Not by assignment: a provider may name a header or a parameter `__proto__`.
  return { headers: Object.fromEntries(headers), query: new URL(request.url).search.slice(1), body };
}

/** What a delivery says of the branch it is for (EV-34). */
export function namedBranch({ headers, query }: Pick<Delivery, "headers" | "query">): NamedBranch {
  return { branch: headers["X-Inngest-Env"] ?? null, parameter: new URLSearchParams(query).get("x-inngest-env") };
}

/** A header's name with the first letter and those after a hyphen in upper case. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

/** What the transform gets. Throws `body_invalid` for a form with a file or with too many fields. */
export async function transformArguments(delivery: Delivery): Promise<TransformArguments> {
  const { headers, query, body } = delivery;
  return {
    evt: await parsedBody(headers["Content-Type"] ?? "", body),
    headers,
    queryParams: listsOf(new URLSearchParams(query)),
    raw: body,
  };
}

const FORMS = ["application/x-www-form-urlencoded", "multipart/form-data"];

/** A body of any other type is tried as JSON, because providers are careless with it; null when it is none. */
async function parsedBody(contentType: string, body: string): Promise<Json> {
  const type = contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (FORMS.includes(type)) {
    const fields = await readForm(contentType, body);
    return fields === null ? null : listsOf(fields);
  }
  const parsed = parseJson(body.startsWith("\ufeff") ? body.slice(1) : body);
  return parsed.ok ? parsed.value : null;
}

/** The values of each name, in the order they came. */
function listsOf(pairs: Iterable<readonly [string, string]>): Record<string, readonly string[]> {
  const lists = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const list = lists.get(name);
    if (list === undefined) lists.set(name, [value]);
    else list.push(value);
  }
  return Object.fromEntries(lists);
}
