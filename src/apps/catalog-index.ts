/**
 * An environment's apps and functions, arranged for look-up (TR-1, TR-4, TR-5). Pure: built from rows, asked by routing.
 * Guarantees that finding the functions of an event costs the same however many functions there are.
 */
import { WAITS } from "../limits.ts";
import type { RegisteredFunction, Trigger } from "./function.ts";

/** An app as the rest of the engine needs it. */
export interface RegisteredApp {
  /** UUID. */
  readonly id: string;
  /** The client id. */
  readonly name: string;
  /** Where the app is served now; runs in progress use it too (AP-12). */
  readonly url: string;
  /** `js:v4.24.0`; empty when unknown. */
  readonly sdk: string;
  readonly archived: boolean;
}

/** An event trigger. */
type EventTrigger = Extract<Trigger, { kind: "event" }>;

/** A function that an event may start, and the trigger that says so. */
interface Match {
  readonly function: RegisteredFunction;
  readonly trigger: EventTrigger;
}

/** What is registered in one environment at one version of its catalog. */
export interface Catalog {
  readonly version: number;
  /** Archived ones included. */
  readonly apps: readonly RegisteredApp[];
  /** In order of slug, archived ones included; `archived` is true as well when only the app is. */
  readonly functions: readonly RegisteredFunction[];
  /**
   * Active functions with a trigger for the name. A function with several such triggers appears once for each, in their order, one
   * directly after the other: the first whose expression is true starts it (TR-8).
   */
  functionsFor(eventName: string): readonly Match[];
  /** Null when unknown. Of two functions with the same slug the active one is found. */
  functionBySlug(slug: string): RegisteredFunction | null;
  functionById(id: string): RegisteredFunction | null;
  /** Either of the two. */
  functionNamed(slugOrId: string): RegisteredFunction | null;
  app(id: string): RegisteredApp | null;
  /** Whether an event of this name may end a run's wait or cancel a run. True of some names nobody waits for, as waits end or when there are many. */
  awaits(eventName: string): boolean;
  /** Names that runs wait for, or may be cancelled by; not all of them when there are many. */
  readonly awaited: readonly string[];
}

interface Entry extends Match {
  /** Position among all triggers of the catalog. */
  readonly order: number;
}

/** Arranges apps, functions and the names that runs wait for; `functions` must be in order of slug. */
export function buildCatalog(
  version: number,
  apps: readonly RegisteredApp[],
  functions: readonly RegisteredFunction[],
  awaited: readonly string[] = [],
): Catalog {
  const exact = new Map<string, Entry[]>();
  const prefixes = new Map<string, Entry[]>();
  let order = 0;
  for (const registered of functions) {
    if (registered.archived) continue;
    for (const trigger of registered.configuration.triggers) {
      if (trigger.kind !== "event") continue;
      const wildcard = trigger.event.endsWith("*");
      const key = wildcard ? trigger.event.slice(0, -1) : trigger.event;
      const index = wildcard ? prefixes : exact;
      const entries = index.get(key) ?? [];
      entries.push({ function: registered, trigger, order: order++ });
      index.set(key, entries);
    }
  }
  const bySlug = new Map<string, RegisteredFunction>();
  for (const registered of functions) {
    if (bySlug.get(registered.slug)?.archived !== false) bySlug.set(registered.slug, registered);
  }
  const byId = new Map(functions.map((registered) => [registered.id, registered]));
  const appById = new Map(apps.map((app) => [app.id, app]));
  const names = new Set(awaited);
  // Of a function's cancel events the catalog knows with its registration, not only when the first run listens. Archived ones have runs too.
  for (const { configuration } of functions) for (const { event } of configuration.cancel) names.add(event);
  return {
    version,
    apps,
    functions,
    functionsFor: (eventName) => {
      const found = [exact.get(eventName), ...prefixesOf(eventName).map((prefix) => prefixes.get(prefix))];
      return found.flatMap((entries) => entries ?? []).sort((a, b) => a.order - b.order);
    },
    functionBySlug: (slug) => bySlug.get(slug) ?? null,
    functionById: (id) => byId.get(id) ?? null,
    functionNamed: (slugOrId) => bySlug.get(slugOrId) ?? byId.get(slugOrId) ?? null,
    app: (id) => appById.get(id) ?? null,
    awaits: (eventName) => names.has(eventName) || (names.size > WAITS.names && canBeAwaited(eventName)),
    awaited: [...names],
  };
}

/** Whether there may be an object of this name: without it, sending such an event would fail. */
function canBeAwaited(eventName: string): boolean {
  return new TextEncoder().encode(eventName).byteLength <= WAITS.nameBytes;
}

/**
 * The beginnings of a name that a wildcard may stand after: up to each `/` and `.`. Those of a system event all begin with `inngest/`,
 * so no other wildcard can match one (TR-5).
 */
function prefixesOf(eventName: string): string[] {
  const prefixes: string[] = [];
  for (let at = 0; at < eventName.length; at++) {
    const character = eventName.charAt(at);
    if (character === "/" || character === ".") prefixes.push(eventName.slice(0, at + 1));
  }
  return prefixes;
}
