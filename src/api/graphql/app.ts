/**
 * Apps in GraphQL (protocol/12 §12.5): the list, one app, and adding and removing them. A removed app is archived, as over REST.
 */
import { archive } from "../../apps/archive.ts";
import type { StoredApp } from "../../apps/store.ts";
import { syncUrl } from "../../apps/sync.ts";
import { MillraceError } from "../../errors.ts";
import { appFields, fieldsOf, storedApps } from "./app-fields.ts";
import type { GraphqlContext, Noun } from "./context.ts";

const sdl = `
  enum AppMethod { SERVE CONNECT API }
  type App {
    id: ID! externalID: String! name: String! sdkLanguage: String! sdkVersion: String! framework: String
    url: String checksum: String appVersion: String error: String connected: Boolean! autodiscovered: Boolean!
    functions: [Function!]! functionCount: Int! method: AppMethod!
  }
  input AppsFilterV1 { archived: Boolean method: AppMethod }
  input CreateAppInput { url: String! }
  input UpdateAppInput { id: String! url: String! }

  extend type Query {
    apps(filter: AppsFilterV1): [App!]!
    app(id: UUID!): App
  }
  extend type Mutation {
    createApp(input: CreateAppInput!): App!
    updateApp(input: UpdateAppInput!): App!
    deleteApp(id: String!): String!
    deleteAppByName(name: String!): Boolean!
  }
`;

interface AppsFilter {
  readonly archived?: boolean | null;
  readonly method?: string | null;
}

/** The noun. */
export const appNoun: Noun = {
  sdl,
  resolvers: {
    apps: async ({ filter }: { filter?: AppsFilter | null }, context) => {
      const apps = (await storedApps(context)).filter(({ archived }) => archived === (filter?.archived ?? false));
      const fields = apps.map((app) => fieldsOf(app, context));
      return fields.filter(({ method }) => (filter?.method ?? method) === method);
    },
    app: ({ id }: { id: string }, context) => appFields(id, context),
    createApp: ({ input }: { input: { url: string } }, context) => sync(input.url, context),
    updateApp: async ({ input }: { input: { id: string; url: string } }, context) => {
      await find(context, ({ id }) => id === input.id, input.id);
      return await sync(input.url, context);
    },
    deleteApp: async ({ id }: { id: string }, context) => {
      await remove(await find(context, (app) => app.id === id, id), context);
      return id;
    },
    deleteAppByName: async ({ name }: { name: string }, context) => {
      await remove(await find(context, (app) => app.name === name, name), context);
      return true;
    },
  },
};

async function find(context: GraphqlContext, wanted: (app: StoredApp) => boolean, name: string): Promise<StoredApp> {
  const app = (await storedApps(context)).find(wanted);
  if (app === undefined) throw new MillraceError("app_not_found", `No app has the name or id "${name}".`);
  return app;
}

async function sync(url: string, context: GraphqlContext) {
  const { bindings, environment } = context;
  const { appId } = await syncUrl(bindings, environment, url, { origin: "rest", now: Date.now() });
  return await appFields(appId, context);
}

async function remove(app: StoredApp, { bindings, environment }: GraphqlContext): Promise<void> {
  await archive(bindings, environment.id, "app", app.id, Date.now());
}
