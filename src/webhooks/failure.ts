/**
 * Why a delivery became no event (EV-32). Owns the form of a failure, which the delivery log keeps and shows.
 */
import { WEBHOOK } from "../limits.ts";

/** What a transform threw, or which limit it met. An alias, so that it counts as JSON. */
export type TransformFailure = {
  /** `TypeError`; for what the engine refused, the code of the error: `event_invalid`. */
  readonly name: string;
  readonly message: string;
  /** Where in the source, one frame a line below name and message. */
  readonly stack: string;
};

/** A failure whose texts are within their limits. `frames` are the lines of the stack, without name and message. */
export function transformFailure(name: string, message: string, frames = ""): TransformFailure {
  const { failure } = WEBHOOK;
  const short = { name: name.slice(0, failure.name), message: message.slice(0, failure.message) };
  const nearest = frames.split("\n").slice(0, failure.frames).join("\n");
  return { ...short, stack: `${short.name}: ${short.message}\n${nearest}`.trimEnd().slice(0, failure.stack) };
}
