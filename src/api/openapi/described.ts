/**
 * What a route takes and answers, said once beside it: the OpenAPI document is made of it (API-24), and tests hold real replies against it.
 * Owns the notes; does nothing to a request.
 */
import type { MiddlewareHandler } from "hono";
import type * as z from "zod";

/** What one status answers with: JSON of this form, or a body of another type, such as `text/event-stream`, or nothing. */
export type Answer = z.ZodType | { readonly media: string } | "nothing";

/** What a route is for, what it takes, and what it answers. */
export interface Description {
  /** Unique within its version: the name of the call in generated clients. */
  readonly id: string;
  readonly summary: string;
  /** An object; its input are the texts of the query string. */
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** By status. Errors have one form everywhere and are not named. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Needs no signing key: it is open, or has a token of its own. */
  readonly open?: true;
}

const notes = new WeakMap<object, Description>();

/** Notes what a route is, as one of its handlers; lets every request pass. */
export function described(description: Description): MiddlewareHandler {
  const note: MiddlewareHandler = (_context, next) => next();
  notes.set(note, description);
  return note;
}

/** What a handler notes; null for all that do something. */
export function descriptionOf(handler: object): Description | null {
  return notes.get(handler) ?? null;
}
