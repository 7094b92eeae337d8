/**
 * Serve URLs (AP-20). Owns which URLs an app may be served at and the one form in which they are stored.
 */
import { type TargetPolicy, targetFault } from "../calls/address.ts";
import type { ErrorCode } from "../errors.ts";
import { REGISTRATION } from "../limits.ts";

/** What checking gave: the URL to store and call, or why it was refused. The message never repeats credentials. */
export type ServeUrl =
  | { readonly ok: true; readonly url: string }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** Set anew for every call or sync, so they are no part of an app's address. */
const TRANSIENT = ["fnId", "stepId", "deployId"];

/** Checks a serve URL and brings it into the form that is stored. */
export function checkServeUrl(text: string, policy: TargetPolicy): ServeUrl {
  if (!URL.canParse(text)) return { ok: false, code: "config_invalid", message: "The serve URL is not a valid URL." };
  if (text.length > REGISTRATION.urlLength) {
    const message = `The serve URL has ${text.length} characters; the limit is ${REGISTRATION.urlLength}.`;
    return { ok: false, code: "config_invalid", message };
  }
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    return {
      ok: false,
      code: "config_invalid",
      message: `The serve URL on ${url.hostname} must not contain credentials.`,
    };
  }
  if (url.hash !== "") {
    return {
      ok: false,
      code: "config_invalid",
      message: `The serve URL on ${url.hostname} must not contain a fragment.`,
    };
  }
  const fault = targetFault(url, policy);
  return fault === null ? { ok: true, url: normaliseServeUrl(url) } : { ok: false, ...fault };
}

/** The URL without `fnId`, `stepId` and `deployId`; every other part stays as it is. */
function normaliseServeUrl(url: URL): string {
  const normalised = new URL(url);
  // Deleting rewrites the whole query in another encoding, so it is done only where there is something to delete.
  for (const name of TRANSIENT) if (normalised.searchParams.has(name)) normalised.searchParams.delete(name);
  return normalised.href;
}

/** A refused URL in a form that may be stored and shown: without credentials, query and fragment; null when it is no URL at all. */
export function withoutSecrets(text: string | null): string | null {
  if (text === null || !URL.canParse(text)) return null;
  const url = new URL(text);
  return `${url.protocol}//${url.host}${url.pathname}`.slice(0, REGISTRATION.urlLength);
}
