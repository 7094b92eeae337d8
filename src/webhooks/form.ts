/**
 * The fields of a form (EV-31), in either encoding, as the platform reads them. Owns what is refused: files, and more fields than anybody sends.
 */
import { MillraceError } from "../errors.ts";
import { WEBHOOK } from "../limits.ts";

/** The fields in order; null when the body is not of its content type. Throws `body_invalid` for a file or too many fields. */
export async function readForm(contentType: string, body: string): Promise<[string, string][] | null> {
  // Each pair of the one encoding is a letter and an ampersand; a part of the other is so long that a body cannot hold too many to read.
  if (occurrences(body, "&") >= WEBHOOK.formFields && !isMultipart(contentType)) throw tooManyFields();
  const form = await parsed(contentType, body);
  if (form === null) return null;
  const fields: [string, string][] = [];
  form.forEach((value, name) => {
    if (typeof value !== "string") throw isFile(name);
    fields.push([name, value]);
  });
  if (fields.length > WEBHOOK.formFields) throw tooManyFields();
  return fields;
}

function isMultipart(contentType: string): boolean {
  return /^\s*multipart\//i.test(contentType);
}

async function parsed(contentType: string, body: string): Promise<FormData | null> {
  try {
    return await new Response(body, { headers: { "content-type": contentType } }).formData();
  } catch {
    // The transform gets the body as it came, and null.
    return null;
  }
}

function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++;
  return count;
}

function tooManyFields(): MillraceError {
  return new MillraceError("body_invalid", `The form has too many fields; the limit is ${WEBHOOK.formFields} fields.`);
}

function isFile(name: string): MillraceError {
  return new MillraceError("body_invalid", `The form's field ${JSON.stringify(name)} is a file; webhooks take none.`);
}
