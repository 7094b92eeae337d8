/**
 * Where the Durable Objects are. Owns their names, and nothing else does: a name always begins with the environment's id, so no id
 * from outside can reach another environment's object (SE-8).
 */
import type { Bindings } from "./bindings.ts";
import type { LineRef } from "./decide/capacity/line.ts";
import { hex, sha256 } from "./ids.ts";

/** The object of one run; `runId` is a ULID. */
export function runStub(bindings: Bindings, environmentId: string, runId: string) {
  return bindings.RUN.getByName(`${environmentId}:${runId}`);
}

/** The object of a sender's deduplication id (EV-15). */
export function eventIdStub(bindings: Bindings, environmentId: string, deduplicationId: string) {
  return bindings.WINDOW.getByName(`${environmentId}:event-id:${deduplicationId}`);
}

/** What a `Window` object of one function and key remembers. */
export type WindowKind = "rate-limit" | "idempotency" | "singleton" | "debounce" | "batch";

/** The object that remembers one thing of a function for one value of a key; `key` is any text. */
export async function windowStub(
  bindings: Bindings,
  environmentId: string,
  kind: WindowKind,
  { functionId, key }: { readonly functionId: string; readonly key: string },
) {
  return bindings.WINDOW.getByName(`${environmentId}:${kind}:${functionId}:${await nameable(key)}`);
}

/** The object of a line. An account's line belongs to no environment. */
export async function capacityStub(bindings: Bindings, environmentId: string, line: LineRef) {
  const { counts, scope, functionId, expression, key } = line;
  const owner = scope === "account" ? "account" : environmentId;
  // Two limits of one function are two lines even when their keys have the same value; a shared line is shared by value alone.
  const limit = scope === "fn" && expression !== null ? (await digest(expression)).slice(0, 16) : "";
  return bindings.CAPACITY.getByName(`${owner}:${counts}:${scope}:${functionId}:${limit}:${await nameable(key)}`);
}

/** A key as part of a name: itself, or its digest when it is long, for names are bounded by the platform. */
async function nameable(key: string): Promise<string> {
  return key.length <= 128 ? `=${key}` : await digest(key);
}

async function digest(text: string): Promise<string> {
  return hex(await sha256(text));
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
