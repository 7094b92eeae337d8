/**
 * Functions in GraphQL (protocol/12 §12.5): the active ones, one by slug, and invoking one.
 */
import { currentCatalog } from "../../apps/catalog.ts";
import type { RegisteredFunction, Trigger } from "../../apps/function.ts";
import { invoke } from "../../events/invoke.ts";
import type { JsonObject } from "../../json.ts";
import { appFields } from "./app-fields.ts";
import type { GraphqlContext, Noun } from "./context.ts";
import { bytes } from "./values.ts";

const sdl = `
  enum FunctionTriggerTypes { EVENT CRON }
  type FunctionTrigger { type: FunctionTriggerTypes! value: String! condition: String }
  type Function {
    id: String! slug: String! name: String! config: String! concurrency: Int! triggers: [FunctionTrigger!]
    url: String! appID: String! app: App
  }
  input FunctionQuery { functionSlug: String! workspaceId: String }

  extend type Query {
    functions: [Function!]
    functionBySlug(query: FunctionQuery!): Function
  }
  extend type Mutation {
    invokeFunction(
      functionSlug: String! data: Map user: Map meta: Map debugSessionID: ULID debugRunID: ULID
    ): Boolean
  }
`;

/** The noun. */
export const functionNoun: Noun = {
  sdl,
  resolvers: {
    functions: async (_: unknown, context) =>
      (await catalog(context)).functions.filter(isActive).map((known) => fields(known, context)),
    functionBySlug: async ({ query }: { query: { functionSlug: string } }, context) => {
      const known = (await catalog(context)).functionNamed(query.functionSlug);
      return known === null || known.archived ? null : fields(known, context);
    },
    invokeFunction: (given: Invocation, context) => invokeFunction(given, context),
  },
};

/** A function by id, archived ones included; null when it was never registered. */
export async function functionFields(id: string | null, context: GraphqlContext) {
  const known = id === null ? null : (await catalog(context)).functionById(id);
  return known === null ? null : fields(known, context);
}

/** The active functions of an app. */
export async function functionsOfApp(appId: string, context: GraphqlContext) {
  const { functions } = await catalog(context);
  return functions.filter((known) => isActive(known) && known.app.id === appId).map((known) => fields(known, context));
}

function catalog({ bindings, environment }: GraphqlContext) {
  return currentCatalog(bindings, environment.id, Date.now());
}

function isActive({ archived }: RegisteredFunction): boolean {
  return !archived;
}

function fields({ id, slug, name, app, configuration }: RegisteredFunction, context: GraphqlContext) {
  return {
    id,
    slug,
    name,
    config: bytes({ id: slug, name, ...configuration }),
    concurrency: configuration.concurrency.find(({ key }) => key === null)?.limit ?? 0,
    triggers: configuration.triggers.map(triggerFields),
    url: configuration.url,
    appID: app.id,
    app: () => appFields(app.id, context),
  };
}

function triggerFields(trigger: Trigger) {
  switch (trigger.kind) {
    case "event":
      return { type: "EVENT", value: trigger.event, condition: trigger.expression };
    case "cron":
      return { type: "CRON", value: trigger.cron, condition: null };
  }
}

interface Invocation {
  readonly functionSlug: string;
  readonly data?: JsonObject | null;
  readonly user?: JsonObject | null;
  readonly meta?: JsonObject | null;
}

async function invokeFunction(
  { functionSlug, data, user, meta }: Invocation,
  context: GraphqlContext,
): Promise<boolean> {
  const { bindings, environment, settings, headers } = context;
  const body = bytes({ data: data ?? {}, user: user ?? {}, ...(meta ? { meta } : {}) });
  const invocation = { slug: functionSlug, body, headers };
  await invoke(bindings, environment.id, invocation, { now: Date.now(), maxEventBytes: settings.maxEventBytes });
  return true;
}
