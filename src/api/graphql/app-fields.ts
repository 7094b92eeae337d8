/**
 * An app in GraphQL (protocol/12 §12.5). Owns the shape; queries and mutations are `app.ts`.
 */
import { listApps, type StoredApp } from "../../apps/store.ts";
import type { GraphqlContext } from "./context.ts";
import { functionsOfApp } from "./function.ts";

/** The app's fields. */
export function fieldsOf(app: StoredApp, context: GraphqlContext) {
  const [sdkLanguage = "", sdkVersion = ""] = app.sdk.split(":v");
  const functions = () => functionsOfApp(app.id, context);
  return {
    id: app.id,
    externalID: app.name,
    name: app.name,
    sdkLanguage,
    sdkVersion,
    framework: app.framework,
    url: app.url,
    checksum: app.checksum,
    appVersion: app.appVersion,
    error: app.error,
    // Whether its last sync reached it; nobody calls it in between.
    connected: app.error === null && !app.archived,
    autodiscovered: false,
    method: app.method === "API" ? "API" : "SERVE",
    functions,
    functionCount: async () => (await functions()).length,
  };
}

/** An app by id; null when it was never registered. */
export async function appFields(id: string, context: GraphqlContext) {
  const app = (await storedApps(context)).find((known) => known.id === id);
  return app === undefined ? null : fieldsOf(app, context);
}

/** All apps, archived ones included. */
export function storedApps({ bindings, environment }: GraphqlContext): Promise<StoredApp[]> {
  return listApps(bindings.DB, environment.id);
}
