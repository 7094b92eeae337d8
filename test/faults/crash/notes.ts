/**
 * The app's own record of what its code did: one line of JSON per fact, appended before anything else happens, in a file that nobody but
 * the app writes. What the engine says is held against it. Owns the form of the lines; knows nothing of what they should say.
 */
import { openSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import * as z from "zod";

const common = { at: z.number(), call: z.int(), fn: z.string(), run: z.string() };

const noteSchema = z.discriminatedUnion("is", [
  /** A handler was entered. `about`: the run a failure handler is told of. */
  z.object({
    ...common,
    is: z.literal("called"),
    attempt: z.int(),
    keys: z.array(z.string()),
    about: z.string().nullable(),
  }),
  /** The body of a step began; `value` is what it is going to answer, and no other body ever answers. */
  z.object({ ...common, is: z.literal("began"), step: z.string(), value: z.string(), holds: z.array(z.string()) }),
  z.object({ ...common, is: z.literal("ended"), step: z.string(), value: z.string() }),
  /** The handler was given this as the result of a step. */
  z.object({ ...common, is: z.literal("saw"), step: z.string(), value: z.string() }),
  z.object({ ...common, is: z.literal("returned"), output: z.string() }),
]);

/** One fact. Times are ms since 1970; `call` numbers the entries of handlers, `keys` are those of the events it was given. */
export type Note = z.infer<typeof noteSchema>;

/** A note before it is written down. */
export type Draft = Note extends infer N ? (N extends Note ? Omit<N, "at"> : never) : never;

/** Opens the record for appending. A line that was written survives the app. */
export function openNotes(path: string): (draft: Draft) => void {
  const file = openSync(path, "a");
  return (draft) => void writeSync(file, `${JSON.stringify({ at: Date.now(), ...draft })}\n`);
}

/** All notes in the order in which they were made. */
export async function readNotes(path: string): Promise<Note[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  const lines = text.split("\n");
  // The last one may be half written.
  return lines.slice(0, -1).map((line) => noteSchema.parse(JSON.parse(line)));
}
