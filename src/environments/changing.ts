/**
 * What is done to environments by hand (EV-24, EV-26): custom ones are made and renamed, stored ones archived and brought back. Owns what may
 * be done to which kind. Guarantees that a new environment has its keys when its creation is answered, and that this isolate sees a change at
 * once (API-6).
 */
import { changeCatalog } from "../apps/change-catalog.ts";
import type { Bindings } from "../bindings.ts";
import { MillraceError } from "../errors.ts";
import { makeEventKey } from "../keys/event-key-values.ts";
import { NO_FILTERS } from "../keys/filter.ts";
import { forgetKeys } from "../keys/known.ts";
import { addSigningKey } from "../keys/signing-keys.ts";
import type { Settings } from "../settings.ts";
import { checkName, type Environment, isStored, standing } from "./environment.ts";
import { environmentCalled, forgetEnvironments } from "./known.ts";
import { archiveStatement, changeEnvironment, createEnvironment, type StoredEnvironment } from "./store.ts";

/** A key as whoever made it sees it, this once. */
interface ShownKey {
  readonly id: string;
  readonly value: string;
}

/** A new environment, and the keys that its apps need. */
export interface NewEnvironment {
  readonly environment: StoredEnvironment;
  readonly signingKey: ShownKey;
  readonly eventKey: ShownKey;
}

/** What an event key is called that comes with its environment. */
const FIRST_KEY = "Default";

/**
 * Makes a custom environment with a signing key and an event key. The schema must be in place; `now` in ms. Throws `conflict` when the name
 * is taken, and in dev mode; `invalid_request` for what is no name; `not_configured` without `MILLRACE_SECRET`.
 */
export async function createCustom(
  bindings: Bindings,
  settings: Settings,
  name: string,
  now: number,
): Promise<NewEnvironment> {
  if (settings.mode === "dev") throw new MillraceError("conflict", "Dev mode has one environment, which is local.");
  checkFree(settings, name);
  const id = crypto.randomUUID();
  // The keys come first: an environment that is there has them, and keys of one that never came open nothing.
  const wanted = { holderId: id, name: FIRST_KEY, filters: NO_FILTERS };
  const { key, value, statement } = await makeEventKey(bindings.DB, settings, wanted, now);
  const signingKey = await addSigningKey(bindings.DB, settings, { id, kind: "custom" }, "current", now);
  await statement.run();
  const { environment, created } = await createEnvironment(bindings.DB, { id, kind: "custom", name, createdAt: now });
  if (!created) {
    await bindings.DB.batch(deleteKeysOf(bindings.DB, id));
    throw taken(name);
  }
  forgetEnvironments(bindings.DB);
  forgetKeys(bindings.DB);
  return { environment, signingKey, eventKey: { id: key.id, value } };
}

/**
 * Renames a custom environment, or says whether a branch is archived by itself; null leaves it as it is. Throws `conflict` for the other
 * kinds and when the name is taken, `invalid_request` for what is no name.
 */
export async function alterEnvironment(
  bindings: Bindings,
  settings: Settings,
  environment: Environment,
  { name, autoArchive }: { readonly name: string | null; readonly autoArchive: boolean | null },
): Promise<void> {
  if (name !== null && environment.kind !== "custom") {
    throw new MillraceError("conflict", `Only custom environments can be renamed, and "${environment.name}" is none.`);
  }
  if (autoArchive !== null && environment.kind !== "branch") {
    throw new MillraceError("conflict", `Only branches are archived by themselves, and "${environment.name}" is none.`);
  }
  if (name !== null) checkFree(settings, name);
  const changed = await changeEnvironment(bindings.DB, environment.id, { name, autoArchive });
  forgetEnvironments(bindings.DB);
  if (!changed) throw taken(name ?? environment.name);
}

/**
 * Archives an environment, so that nothing starts in it any more, or brings it back. Nothing is deleted, and what runs goes on to its end
 * (EV-24). False when it was so already. Throws `conflict` for environments that always exist.
 */
export async function setArchived(
  bindings: Bindings,
  environment: Environment,
  archived: boolean,
  now: number,
): Promise<boolean> {
  const { id, name } = environment;
  if (!isStored(environment)) throw new MillraceError("conflict", `The environment "${name}" cannot be archived.`);
  const changed = await changeCatalog(bindings, id, archiveStatement(bindings.DB, id, archived, now));
  forgetEnvironments(bindings.DB);
  return changed;
}

/** The environment with this name or id as it is stored at this moment (API-6). Throws what {@link environmentCalled} throws. */
export async function currentEnvironment(
  bindings: Bindings,
  settings: Settings,
  nameOrId: string,
  now: number,
): Promise<Environment> {
  forgetEnvironments(bindings.DB);
  return await environmentCalled(bindings, settings, nameOrId, now);
}

/** Removes the keys of an environment that there is not. */
function deleteKeysOf(db: D1Database, environmentId: string): D1PreparedStatement[] {
  return ["event_keys", "signing_keys"].map((table) =>
    db.prepare(`DELETE FROM ${table} WHERE environment_id = ?1`).bind(environmentId),
  );
}

function checkFree(settings: Settings, name: string): void {
  checkName(name);
  if (standing(settings).some((always) => always.name === name)) throw taken(name);
}

function taken(name: string): MillraceError {
  return new MillraceError("conflict", `An environment called "${name}" exists.`);
}
