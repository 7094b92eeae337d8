/**
 * The search over everything (OB-5): apps, functions and event names by any part of their names, events and runs by their whole ids, however old
 * they are. Owns what is looked at and in which order it is shown.
 */
import { currentCatalog } from "../apps/catalog.ts";
import type { Bindings } from "../bindings.ts";
import type { EnvironmentRef } from "../environments/environment.ts";
import { findEvent } from "../history/events.ts";
import { readRun } from "../history/read.ts";
import { isUlid } from "../ids.ts";
import { SEARCH } from "../limits.ts";
import { namesContaining } from "../metrics/event-types.ts";

/** One thing that was found. `name` is what people call it. */
export interface Finding {
  readonly kind: "run" | "event" | "app" | "function" | "event_type" | "environment";
  readonly id: string;
  readonly name: string;
}

/** What the text means: ids first, then names that begin with it, then those that contain it. At most `SEARCH.global.each` of a kind. */
export async function searchEverything(
  bindings: Bindings,
  environment: EnvironmentRef,
  text: string,
  now: number,
): Promise<Finding[]> {
  const id = text.toUpperCase();
  const [run, event, catalog, names] = await Promise.all([
    isUlid(id) ? readRun(bindings, environment.id, id) : null,
    findEvent(bindings.DB, environment.id, isUlid(id) ? id : text),
    currentCatalog(bindings, environment.id, now),
    namesContaining(bindings.DB, environment.id, text, SEARCH.global.names),
  ]);
  const found: Finding[] = [];
  if (run !== null) found.push({ kind: "run", id: run.row.runId, name: run.row.functionSlug });
  if (event !== null) found.push({ kind: "event", id: event.event.internalId, name: event.event.payload.name });
  const apps = catalog.apps.map(({ id: of, name }): Finding => ({ kind: "app", id: of, name }));
  const functions = catalog.functions.map(({ id: of, slug }): Finding => ({ kind: "function", id: of, name: slug }));
  const titles = new Map(catalog.functions.map(({ id: of, name }) => [of, name]));
  found.push(...named(functions, text, ({ id: of, name }) => [name, titles.get(of) ?? "", of]));
  found.push(...named(apps, text, ({ id: of, name }) => [name, of]));
  const types = names.map((name): Finding => ({ kind: "event_type", id: name, name }));
  found.push(...named(types, text, ({ name }) => [name]));
  const { id: of, name } = environment;
  found.push(...named([{ kind: "environment", id: of, name }], text, () => [name, of]));
  return found;
}

/** Those of which a name contains the text, case aside; those with a name that begins with it come first. */
function named(findings: readonly Finding[], text: string, namesOf: (one: Finding) => readonly string[]): Finding[] {
  const wanted = text.toLowerCase();
  const places = findings.map((finding) => {
    const at = namesOf(finding)
      .map((name) => name.toLowerCase().indexOf(wanted))
      .filter((place) => place >= 0);
    return { finding, place: at.length === 0 ? -1 : Math.min(...at) };
  });
  return places
    .filter(({ place }) => place >= 0)
    .sort((a, b) => Number(a.place > 0) - Number(b.place > 0))
    .slice(0, SEARCH.global.each)
    .map(({ finding }) => finding);
}
