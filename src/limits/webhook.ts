/**
 * Limits of webhooks. Each number with its unit and its reason.
 */
import { DAY, KIB, MIB } from "./units.ts";

/** Webhooks and their transforms (EV-30). What a transform may compute is counted, never timed: no clock moves while a Worker computes. */
export const WEBHOOK = {
  /** Bytes of a transform's source. */
  sourceBytes: 64 * KIB,
  /** Bytes a transform may hold, its arguments included. */
  memory: 16 * MIB,
  /** Bytes of a transform's arguments as JSON, body and parsed body together: with more the memory is full before the transform begins. */
  argumentBytes: 8 * MIB,
  /** ms; what a transform may compute. */
  time: 100,
  /** The same in turns of loops and calls inside the interpreter: what a plain script uses in that time on an idle core. */
  fuel: 40_000_000,
  /** As much again to say what went wrong, and for a built-in function to come to its end, before the interpreter is thrown away. */
  reserve: 4_000_000,
  /** Bytes of the interpreter's stack: less than what the platform's own stack takes, so that deep recursion is an error of the transform. */
  stack: 128 * KIB,
  /**
   * Bytes all of the interpreter may take: while a transform runs, of which it needs some 6 MiB for itself; while a failure is told, for
   * which there must be room; and while arguments and results cross the border, of which there are copies then.
   */
  room: { transform: 22 * MIB, telling: 23 * MIB, crossing: 64 * MIB },
  /** Jobs of promises run before it is looked whether the transform has settled. */
  jobs: 64,
  /** What is kept of a failure: characters of its name and message, frames of its stack, and characters of all of them. */
  failure: { name: 128, message: 4096, frames: 32, stack: 8192 },
  /** Fields of a form: a body of single letters must not become millions of lists. */
  formFields: 10_000,
  /** Bytes of a webhook over REST: a source whose every byte is escaped in JSON, and a response beside it. */
  requestBytes: 1 * MIB,
  /** Characters of the body that a webhook answers with, and of its content type. */
  response: { body: 64 * KIB, contentType: 128 },
  /**
   * The log of failed deliveries: how many are kept of one webhook and how many bytes of them, encrypted; for how many ms; and bytes of one as
   * JSON, because encrypted it has to fit into a row of 2 MB.
   */
  log: { most: 100, total: 16 * MIB, kept: 7 * DAY, bytes: 1 * MIB },
} as const;
