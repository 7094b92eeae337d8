/**
 * Functions for runtime tests, put into the catalog without an app that serves them: their calls fail, so their runs do not end.
 */
import { vi } from "vitest";
import { forgetCatalog } from "../../src/apps/catalog.ts";
import type { FunctionConfiguration, Trigger } from "../../src/apps/function.ts";
import { saveStatements } from "../../src/apps/store.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { configurationWith } from "../src/apps/configuration.ts";

/** Answers every call of an app with an error, for the rest of the test file. */
export function muteApps(): void {
  vi.stubGlobal("fetch", async () => new Response("no such app", { status: 500 }));
}

/**
 * Makes these the only functions of the environment. Keys are slugs, values the triggers: event names, names with an `if`, or crons.
 * `options` are those of all of them.
 */
export async function registerFunctions(
  db: D1Database,
  environmentId: string,
  triggers: Readonly<Record<string, readonly On[]>>,
  options: Partial<FunctionConfiguration> = {},
): Promise<void> {
  await ensureSchema(db);
  const functions = Object.entries(triggers).map(([slug, events]) => ({
    id: `id-of-${slug}`,
    slug,
    name: slug,
    configuration: configurationWith({ ...options, triggers: events.map(triggerOf) }),
  }));
  const app = { id: "app-id", name: "shop", url: configurationWith().url, method: "serve" as const, sdk: "js:v4.24.0" };
  const facts = { framework: null, platform: null, appVersion: null, capabilities: "{}", checksum: "", syncedAt: 1 };
  await db.batch(saveStatements(db, environmentId, { ...app, ...facts, functions }));
  forgetCatalog(db, environmentId);
}

/** What starts a function. */
type On = string | { event: string; expression: string } | { cron: string; jitter?: number };

function triggerOf(on: On): Trigger {
  if (typeof on === "string") return { kind: "event", event: on, expression: null };
  return "cron" in on ? { kind: "cron", cron: on.cron, jitter: on.jitter ?? null } : { kind: "event", ...on };
}
