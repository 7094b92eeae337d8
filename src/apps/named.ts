/**
 * Apps and functions by the names people give them: an app by its id as its author wrote it, or its UUID; a function by its id without the
 * app's, its slug, or its UUID. Pure. Owns the refusals.
 */
import { MillraceError } from "../errors.ts";
import type { Catalog, RegisteredApp } from "./catalog-index.ts";
import type { RegisteredFunction } from "./function.ts";

/** The app of this name. Throws `app_not_found`. */
export function appIn(catalog: Catalog, named: string): RegisteredApp {
  const app = catalog.apps.find(({ name }) => name === named) ?? catalog.apps.find(({ id }) => id === named);
  if (app === undefined) throw new MillraceError("app_not_found", `No app has the id "${named}".`);
  return app;
}

/** The function of an app; of two with the same name the active one. Throws `app_not_found` and `function_not_found`. */
export function functionIn(
  catalog: Catalog,
  named: { readonly app: string; readonly function: string },
): RegisteredFunction {
  const app = appIn(catalog, named.app);
  const own = catalog.functions.filter((one) => one.app.id === app.id);
  const found = own.filter(({ id, slug }) => [id, slug, slug.slice(app.name.length + 1)].includes(named.function));
  const [first] = found.sort((a, b) => Number(a.archived) - Number(b.archived));
  if (first !== undefined) return first;
  const message = `The app "${named.app}" has no function with the id "${named.function}".`;
  throw new MillraceError("function_not_found", message);
}
