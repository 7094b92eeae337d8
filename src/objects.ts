/**
 * Where the Durable Objects are. Owns their names, and nothing else does: a name always begins with the environment's id, so no id
 * from outside can reach another environment's object (SE-8).
 */
import type { Bindings } from "./bindings.ts";
import type { Counted, LineRef } from "./decide/capacity/line.ts";
import { hex, sha256 } from "./ids.ts";

/** The object of one run; `runId` is a ULID. */
export function runStub(bindings: Bindings, environmentId: string, runId: string) {
  return bindings.RUN.getByName(`${environmentId}:${runId}`);
}

/** The object of a sender's deduplication id (EV-15). */
export function eventIdStub(bindings: Bindings, environmentId: string, deduplicationId: string) {
  return bindings.WINDOW.getByName(`${environmentId}:event-id:${deduplicationId}`);
}

/** What a `Window` object of one function and key remembers. A `request` belongs to no function: it is known by its key alone. */
export type WindowKind = "rate-limit" | "idempotency" | "singleton" | "debounce" | "batch" | "request";

/** The object that remembers one thing of a function for one value of a key; `key` is any text. */
export async function windowStub(
  bindings: Bindings,
  environmentId: string,
  kind: WindowKind,
  { functionId, key }: { readonly functionId: string; readonly key: string },
) {
  return bindings.WINDOW.getByName(`${environmentId}:${kind}:${functionId}:${await nameable(key)}`);
}

/** What a `Window` object's own name says; null when it is none. The function's id is empty for a sender's event id. */
export function windowNamed(
  objectName: string,
): { readonly environmentId: string; readonly kind: WindowKind | "event-id"; readonly functionId: string } | null {
  const [, environmentId, kind, rest] =
    /^([^:]+):(event-id|rate-limit|idempotency|singleton|debounce|batch|request):(.*)$/s.exec(objectName) ?? [];
  if (environmentId === undefined || kind === undefined || rest === undefined) return null;
  if (kind === "event-id") return { environmentId, kind, functionId: "" };
  // The pattern lists exactly these.
  return { environmentId, kind: kind as WindowKind, functionId: rest.split(":", 1)[0] ?? "" };
}

/** The object of a line. An account's line belongs to no environment. */
export async function capacityStub(bindings: Bindings, environmentId: string, line: LineRef) {
  const { counts, scope, functionId, expression, key } = line;
  const owner = scope === "account" ? "account" : environmentId;
  // Two limits of one function are two lines even when their keys have the same value; a shared line is shared by value alone, but not
  // with the ceiling, which has no key (`line-order.ts` says the same).
  const limit = expression === null ? "" : scope === "fn" ? (await digest(expression)).slice(0, 16) : "keyed";
  return bindings.CAPACITY.getByName(`${owner}:${counts}:${scope}:${functionId}:${limit}:${await nameable(key)}`);
}

/** The object of a line by its own name, as a directory lists it. */
export function capacityNamed(bindings: Bindings, objectName: string) {
  return bindings.CAPACITY.getByName(objectName);
}

/** What a `Capacity` object's own name says; null when it is none. The rest of the line's reference may be a digest there. */
export function lineNamed(objectName: string): Pick<LineRef, "counts" | "scope" | "functionId"> | null {
  const [, counts, scope, functionId] = /^[^:]+:(steps|runs|starts):(fn|env|account):([^:]*):/.exec(objectName) ?? [];
  if (counts === undefined || scope === undefined || functionId === undefined) return null;
  // The pattern lists exactly these.
  return { counts: counts as Counted, scope: scope as LineRef["scope"], functionId };
}

/** A key as part of a name: itself, or its digest when it is long, for names are bounded by the platform. */
async function nameable(key: string): Promise<string> {
  return key.length <= 128 ? `=${key}` : await digest(key);
}

async function digest(text: string): Promise<string> {
  return hex(await sha256(text));
}

/** The object that lists what of a function holds something back at the moment. */
export function directoryStub(bindings: Bindings, environmentId: string, functionId: string) {
  return bindings.DIRECTORY.getByName(`${environmentId}:${functionId}`);
}

/** The object of a function's crons. */
export function scheduleStub(bindings: Bindings, environmentId: string, functionId: string) {
  return bindings.SCHEDULE.getByName(`${environmentId}:${functionId}`);
}

/** What a `Schedule` object's own name says; null when it is none. */
export function scheduleNamed(
  objectName: string,
): { readonly environmentId: string; readonly functionId: string } | null {
  const [, environmentId, functionId] = /^([^:]+):(.+)$/s.exec(objectName) ?? [];
  return environmentId === undefined || functionId === undefined ? null : { environmentId, functionId };
}

/** The object that tells a function's runs of its pauses. */
export function pauseStub(bindings: Bindings, environmentId: string, functionId: string) {
  return bindings.PAUSE.getByName(`${environmentId}:${functionId}`);
}

/** What a `Pause` object's own name says; null when it is none. */
export function pauseNamed(objectName: string) {
  return scheduleNamed(objectName);
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

/** An object of a realtime channel; `name` is any text. Number 0 is the channel itself, the others hold more of its subscribers. */
export async function channelStub(bindings: Bindings, environmentId: string, name: string, branch = 0) {
  return bindings.CHANNEL.getByName(`${environmentId}:${branch}:${await nameable(name)}`);
}

/** What a `Channel` object's own name says; null when it is none. Not the channel's name, which may be too long for it. */
export function channelNamed(objectName: string): { readonly environmentId: string; readonly branch: number } | null {
  const [, environmentId, branch] = /^([^:]+):(\d+):/.exec(objectName) ?? [];
  return environmentId === undefined ? null : { environmentId, branch: Number(branch) };
}

/** The object of one operation on many runs; `id` is a ULID. */
export function operationStub(bindings: Bindings, environmentId: string, id: string) {
  return bindings.OPERATION.getByName(`${environmentId}:${id}`);
}

/** What a `Waits` object's own name says; null when it is none. An environment's id has no colon, a name may. */
export function waitsNamed(
  objectName: string,
): { readonly environmentId: string; readonly kind: WaitsKind; readonly name: string } | null {
  const [, environmentId, kind, name] = /^([^:]+):(event|signal):(.*)$/s.exec(objectName) ?? [];
  if (environmentId === undefined || name === undefined) return null;
  return { environmentId, kind: kind === "event" ? "event" : "signal", name };
}
