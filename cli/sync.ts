/**
 * Asks apps to register (DEV-8, DEV-10): a `PUT` on the serve URL, upon which the app posts its functions to the engine (protocol/02 §2.1).
 * Owns when an app is asked and what is said about it; a line appears only when something changed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { REGISTRATION } from "../src/limits.ts";

/** What became of one request to an app. */
export type SyncOutcome =
  | { readonly kind: "synced"; readonly changed: boolean }
  /** The app answered, but did not register: its own words. */
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "unreachable"; readonly reason: string };

const replySchema = z.object({ message: z.string().optional(), modified: z.boolean().optional() });

/** Asks the app at `url` once. Never throws. */
export async function syncApp(url: string, signal?: AbortSignal): Promise<SyncOutcome> {
  let response: Response;
  let text: string;
  try {
    const timeout = AbortSignal.timeout(REGISTRATION.timeout);
    response = await fetch(url, {
      method: "PUT",
      headers: { "content-type": "application/json", "x-inngest-server-kind": "dev" },
      body: JSON.stringify({ url }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    text = await response.text();
  } catch (error) {
    return { kind: "unreachable", reason: reasonOf(error) };
  }
  // In cloud mode an SDK answers strangers with this one header and nothing that names it (protocol/02).
  const isSdk = response.headers.has("x-inngest-sdk") || response.headers.has("x-inngest-sdk-handled");
  if (!isSdk) return { kind: "refused", reason: `${response.status}, and no Inngest SDK answers there` };
  const reply = replySchema.safeParse(parsed(text));
  if (response.ok) return { kind: "synced", changed: reply.data?.modified ?? true };
  const reason = reply.data?.message ?? `${response.status} ${response.statusText}`;
  const cloud = response.headers.has("x-inngest-sdk") ? "" : " (the app is in cloud mode; start it with INNGEST_DEV=1)";
  return { kind: "refused", reason: reason + cloud };
}

/** What to say when an app's outcome follows another one (null: the first); null when nothing new happened. */
export function changeOf(url: string, before: SyncOutcome | null, now: SyncOutcome): string | null {
  switch (now.kind) {
    case "synced":
      return before?.kind === "synced" && !now.changed ? null : `synced ${url}`;
    case "refused":
      if (before?.kind === "refused" && before.reason === now.reason) return null;
      return `${url} could not be synced: ${now.reason}`;
    case "unreachable":
      if (before?.kind === "unreachable") return null;
      if (before === null) return `waiting for an app at ${url} (${now.reason})`;
      return `${url} does not answer any more (${now.reason}); its functions stay registered`;
  }
}

/** How apps are followed. */
export interface FollowOptions {
  readonly urls: readonly string[];
  /** Seconds between two requests to an app that has registered; null asks it never again. */
  readonly interval: number | null;
  readonly signal: AbortSignal;
  /** Told what changed. */
  readonly say: (line: string) => void;
  /** Called each time an app has registered. */
  readonly onSync: () => void;
}

/** Seconds between requests to an app that does not answer, and between the first ones, when it may be starting beside us. */
const WAITING = 1;
const STARTING = 0.2;
/** ms before an app that has never answered is worth a line. */
const GRACE = 3_000;

/** Syncs every app until it has registered, and from then on at the interval. Resolves when aborted, or when there is nothing left to ask. */
export async function followApps(options: FollowOptions): Promise<void> {
  await Promise.all(options.urls.map((url) => followApp(url, options)));
}

async function followApp(url: string, { interval, signal, say, onSync }: FollowOptions): Promise<void> {
  const began = performance.now();
  let before: SyncOutcome | null = null;
  while (!signal.aborted) {
    const now = await syncApp(url, signal);
    if (signal.aborted) return;
    if (before === null && now.kind === "unreachable" && performance.now() - began < GRACE) {
      await pause(STARTING, signal);
      continue;
    }
    const line = changeOf(url, before, now);
    if (line !== null) say(line);
    before = now;
    if (now.kind === "synced") {
      onSync();
      if (interval === null) return;
    }
    await pause(now.kind === "unreachable" ? WAITING : (interval ?? WAITING), signal);
  }
}

/** Waits; an abort ends the wait early and is no error. */
async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(seconds * 1000, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `ECONNREFUSED` and its like say more than the generic sentence around them. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") return cause.code;
  return error instanceof Error ? error.message : String(error);
}
