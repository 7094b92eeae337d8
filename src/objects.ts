/**
 * Where the Durable Objects are. Owns their names, and nothing else does: a name always begins with the environment's id, so no id
 * from outside can reach another environment's object (SE-8).
 */
import type { Bindings } from "./bindings.ts";

/** The object of one run; `runId` is a ULID. */
export function runStub(bindings: Bindings, environmentId: string, runId: string) {
  return bindings.RUN.getByName(`${environmentId}:${runId}`);
}

/** What a `Window` object remembers: `event-id` is the claim on a sender's deduplication id (EV-15). */
export type WindowKind = "event-id";

/** The object that remembers one thing for a while; `key` is any text, here the sender's id. */
export function windowStub(bindings: Bindings, environmentId: string, kind: WindowKind, key: string) {
  return bindings.WINDOW.getByName(`${environmentId}:${kind}:${key}`);
}

/** The one object of an environment. */
export function environmentStub(bindings: Bindings, environmentId: string) {
  return bindings.ENVIRONMENT.getByName(environmentId);
}
