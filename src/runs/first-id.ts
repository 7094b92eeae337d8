/**
 * Requests that start something and may arrive twice: a double click, a browser's retry (CR-28). Owns the id under which all copies of one
 * act: within 24 hours that of the first, so that what it starts exists once.
 */
import type { Bindings } from "../bindings.ts";
import { MillraceError } from "../errors.ts";
import { newUlid } from "../ids.ts";
import { RERUN } from "../limits.ts";
import { windowStub } from "../objects.ts";

/** What a request says it is. */
export interface RequestName {
  /** What is asked for, so that one key may be used for different things. */
  readonly scope: string;
  /** Any text; null or empty: the request has no copies. */
  readonly key: string | null;
}

/** The id under which a request acts. `repeated`: a copy of it came before. */
export interface FirstId {
  /** ULID. */
  readonly id: string;
  readonly repeated: boolean;
}

/** A ULID for what the request starts: a new one, or that of its first copy. `now` in ms. Throws `invalid_request` for a key that is too long. */
export async function firstId(
  bindings: Bindings,
  environmentId: string,
  { scope, key }: RequestName,
  now: number,
): Promise<FirstId> {
  const candidate = newUlid(now);
  if (key === null || key === "") return { id: candidate, repeated: false };
  if (key.length > RERUN.textLength) {
    throw new MillraceError("invalid_request", `A request's id must have at most ${RERUN.textLength} characters.`);
  }
  const owner = { functionId: "", key: `${scope}\n${key}` };
  const id = await (await windowStub(bindings, environmentId, "request", owner)).first(candidate);
  return { id, repeated: id !== candidate };
}
