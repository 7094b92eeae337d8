/**
 * Who holds the keys of an environment (EV-22): itself, and for a branch what all branches share.
 */
import type { Bindings } from "../bindings.ts";
import { MillraceError } from "../errors.ts";
import type { Settings } from "../settings.ts";
import { type EnvironmentKind, keyHolder } from "./environment.ts";
import { knownEnvironment } from "./known.ts";

/** An environment that holds keys. */
export interface KeyHolder {
  readonly id: string;
  readonly kind: Exclude<EnvironmentKind, "branch">;
}

/** The holder of an environment's keys. `now` in ms. Throws `environment_not_found`. */
export async function keyHolderIn(
  bindings: Pick<Bindings, "DB">,
  settings: Settings,
  environmentId: string,
  now: number,
): Promise<KeyHolder> {
  const environment = await knownEnvironment(bindings, settings, environmentId, now);
  if (environment === null) throw new MillraceError("environment_not_found", "The environment does not exist.");
  const { kind } = environment;
  return { id: keyHolder(environment), kind: kind === "branch" ? "branches" : kind };
}
