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

/** What a `Waits` object keeps: the waits for events of one name, or for one signal. */
export type WaitsKind = "event" | "signal";

/** The object of an event name or a signal; `name` is any text. */
export function waitsStub(bindings: Bindings, environmentId: string, kind: WaitsKind, name: string) {
  return bindings.WAITS.getByName(`${environmentId}:${kind}:${name}`);
}

/** The object of a realtime channel; `name` is any text of at most `REALTIME.channelLength` characters. */
export function channelStub(bindings: Bindings, environmentId: string, name: string) {
  return bindings.CHANNEL.getByName(`${environmentId}:${name}`);
}

/** What a `Waits` object's own name says; null when it is none. An environment's id has no colon, a name may. */
export function waitsNamed(
  objectName: string,
): { readonly environmentId: string; readonly kind: WaitsKind; readonly name: string } | null {
  const [, environmentId, kind, name] = /^([^:]+):(event|signal):(.*)$/s.exec(objectName) ?? [];
  if (environmentId === undefined || name === undefined) return null;
  return { environmentId, kind: kind === "event" ? "event" : "signal", name };
}
