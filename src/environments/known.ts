/**
 * Environments as requests need them: by id, by the name of a branch. Owns what an isolate remembers of them (at most `KEY.age` old), and
 * that a branch is created by whoever first names it (EV-23).
 */
import type { Bindings } from "../bindings.ts";
import { MillraceError } from "../errors.ts";
import { ensureSchema } from "../history/schema.ts";
import { rememberedRows } from "../keys/remembered.ts";
import type { Settings } from "../settings.ts";
import { checkName, type Environment, standing } from "./environment.ts";
import { createEnvironment, environmentsNamed, findEnvironment, listEnvironments } from "./store.ts";

type Database = Pick<Bindings, "DB">;

const byId = rememberedRows(findEnvironment);
const byName = rememberedRows(environmentsNamed);

/** The environment with this id; null when there is none. `now` in ms since 1970. */
export async function knownEnvironment(
  bindings: Database,
  settings: Settings,
  id: string,
  now: number,
): Promise<Environment | null> {
  const always = standing(settings).find((each) => each.id === id);
  return always ?? (settings.mode === "dev" ? null : await byId.get(bindings.DB, id, now));
}

/** The branch of this name; null when nobody named it before. */
export async function knownBranch(bindings: Database, name: string, now: number): Promise<Environment | null> {
  return (await byName.get(bindings.DB, name, now)).find(({ kind }) => kind === "branch") ?? null;
}

/** The branch of this name, which is created when nobody named it before (EV-23). Throws `invalid_request` for what is no name. */
export async function branchNamed(bindings: Database, name: string, now: number): Promise<Environment> {
  checkName(name);
  const known = await knownBranch(bindings, name, now);
  if (known !== null) return known;
  const branch = { id: crypto.randomUUID(), kind: "branch", name, createdAt: now } as const;
  const { environment } = await createEnvironment(bindings.DB, branch);
  byName.forget(bindings.DB);
  return environment;
}

/** The one environment that has this name or id, of any kind. Throws `environment_not_found`, and `environment_ambiguous` for a name of two. */
export async function environmentCalled(
  bindings: Database,
  settings: Settings,
  nameOrId: string,
  now: number,
): Promise<Environment> {
  const always = standing(settings).find(({ id, name }) => id === nameOrId || name === nameOrId);
  if (always !== undefined) return always;
  const one = settings.mode === "dev" ? null : await byId.get(bindings.DB, nameOrId, now);
  if (one !== null) return one;
  const [named, another] = settings.mode === "dev" ? [] : await byName.get(bindings.DB, nameOrId, now);
  if (another !== undefined) {
    throw new MillraceError(
      "environment_ambiguous",
      `A branch and a custom environment are called "${nameOrId}": name it by its id.`,
    );
  }
  if (named !== undefined) return named;
  throw new MillraceError("environment_not_found", `No environment is called "${nameOrId}".`);
}

/** Every environment: those that exist by themselves, then the others in the order of their creation. */
export async function allEnvironments(bindings: Database, settings: Settings): Promise<readonly Environment[]> {
  if (settings.mode === "dev") return standing(settings);
  await ensureSchema(bindings.DB);
  return [...standing(settings), ...(await listEnvironments(bindings.DB))];
}

/** Makes this isolate read environments anew, for whoever changed one. */
export function forgetEnvironments(db: D1Database): void {
  byId.forget(db);
  byName.forget(db);
}
