/**
 * `GET /dev` (protocol/12 §12.1): how SDKs of version 3 find out that a dev server is running, and what tools read of it.
 * Guarantees that a cloud deployment has no such route: version, apps and counts are nobody's business there (SE-21).
 */
import { Hono } from "hono";
import packageJson from "../../package.json" with { type: "json" };
import { catalogOf } from "../apps/catalog.ts";
import type { RegisteredFunction, Trigger } from "../apps/function.ts";
import { environmentOf } from "../environments/environment.ts";
import { MillraceError } from "../errors.ts";
import type { Api } from "./api.ts";

/** The route. */
export const dev = new Hono<Api>();

dev.get("/dev", async (context) => {
  const settings = context.get("settings");
  if (settings.mode !== "dev") throw new MillraceError("not_found", "No route /dev");
  const catalog = await catalogOf(context.env, environmentOf(settings).id, Date.now());
  return context.json({
    version: packageJson.version,
    authed: false,
    startOpts: {
      dir: "",
      urls: catalog.apps.filter(({ archived }) => !archived).map(({ url }) => url),
      autodiscover: false,
      poll: false,
      poll_interval: 0,
      tick: 0,
      retry_interval: settings.retryInterval / 1000,
    },
    functions: catalog.functions.filter(({ archived }) => !archived).map(functionJson),
    handlers: [],
    isSingleNodeService: false,
    isMissingSigningKey: false,
    isMissingEventKeys: false,
    features: {},
  });
});

function functionJson({ slug, name, configuration }: RegisteredFunction) {
  const { triggers, retries, concurrency, url } = configuration;
  const steps = [{ id: "step", name: "step", uri: stepUrl(url, slug), retries: { attempts: retries } }];
  return { id: slug, name, triggers: triggers.map(triggerJson), steps, concurrency };
}

function triggerJson(trigger: Trigger) {
  switch (trigger.kind) {
    case "event":
      return { event: trigger.event, ...(trigger.expression === null ? {} : { expression: trigger.expression }) };
    case "cron":
      return { cron: trigger.cron };
  }
}

function stepUrl(base: string, slug: string): string {
  const url = new URL(base);
  url.searchParams.set("fnId", slug);
  url.searchParams.set("stepId", "step");
  return url.href;
}
