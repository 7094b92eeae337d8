/**
 * The catalog every isolate keeps of an environment's apps and functions. Owns how long it is trusted.
 * Guarantees that no answer is older than twice `CATALOG.age`, and that an isolate which handled a sync sees it at once.
 */
import type { Bindings } from "../bindings.ts";
import { ensureSchema } from "../history/schema.ts";
import { CATALOG } from "../limits.ts";
import { buildCatalog, type Catalog } from "./catalog-index.ts";
import { readCatalog, readCatalogVersion } from "./store.ts";

interface Cached {
  catalog: Catalog | null;
  /** When the version was last known to be the stored one, ms since 1970. */
  checkedAt: number;
  /** Until then a request is expected to bring it up to date, ms since 1970. */
  busyUntil: number;
  /** How many loads have begun, and which of them the catalog comes from. */
  loads: number;
  load: number;
}

const caches = new WeakMap<D1Database, Map<string, Cached>>();

/**
 * The catalog of an environment. Reads D1 only when the known one is older than `CATALOG.age`, and then mostly its version.
 * While one request does so the others go on with the known catalog: they must not wait for work that belongs to a request which may
 * be cancelled. `now` in ms since 1970. Throws what D1 throws.
 */
export async function catalogOf(bindings: Pick<Bindings, "DB">, environmentId: string, now: number): Promise<Catalog> {
  const cached = cachedIn(bindings.DB, environmentId);
  const known = cached.catalog;
  if (known !== null) {
    const age = now - cached.checkedAt;
    // A clock that has gone back says nothing about the age.
    if (age >= 0 && (age < CATALOG.age || (age < 2 * CATALOG.age && now < cached.busyUntil))) return known;
  }
  cached.busyUntil = now + CATALOG.age;
  await ensureSchema(bindings.DB);
  if (known !== null && (await readCatalogVersion(bindings.DB, environmentId)) === known.version) {
    cached.checkedAt = now;
    return known;
  }
  const load = ++cached.loads;
  const { version, apps, functions, awaited } = await readCatalog(bindings.DB, environmentId);
  const loaded = buildCatalog(version, apps, functions, awaited);
  // Two loads may overtake each other, and the one that began later counts: versions go back when the database is restored. A catalog
  // forgotten meanwhile has a new entry that this one is not part of.
  if (load > cached.load) {
    cached.catalog = loaded;
    cached.load = load;
  }
  cached.checkedAt = now;
  return loaded;
}

/**
 * The catalog as it is stored at this moment, for whoever shows or changes it: a change that was answered is part of it, whichever isolate
 * made it (API-6). Costs at least one read.
 */
export async function currentCatalog(
  bindings: Pick<Bindings, "DB">,
  environmentId: string,
  now: number,
): Promise<Catalog> {
  const cached = cachedIn(bindings.DB, environmentId);
  cached.checkedAt = 0;
  cached.busyUntil = 0;
  return await catalogOf(bindings, environmentId, now);
}

/** Makes this isolate read the catalog anew at its next use: for whoever just changed it. */
export function forgetCatalog(db: D1Database, environmentId: string): void {
  caches.get(db)?.delete(environmentId);
}

function cachedIn(db: D1Database, environmentId: string): Cached {
  const environments = caches.get(db) ?? new Map<string, Cached>();
  caches.set(db, environments);
  const cached = environments.get(environmentId) ?? { catalog: null, checkedAt: 0, busyUntil: 0, loads: 0, load: 0 };
  environments.set(environmentId, cached);
  return cached;
}
