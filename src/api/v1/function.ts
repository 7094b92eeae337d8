/**
 * A function as REST v1 shows it (API-18). Pure. Owns the JSON shape and the words for a function's status.
 */
import * as z from "zod";
import type { RegisteredFunction } from "../../apps/function.ts";
import { time } from "./reply.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

const limit = z.object({ limit: z.number(), key: z.string().nullable(), scope: z.enum(["fn", "env", "account"]) });

const configurationReply = z.object({
  retries: z.int(),
  concurrency: z.array(limit),
  runConcurrency: z.array(limit),
  throttle: z
    .object({ limit: z.number(), period: z.number(), burst: z.number(), key: z.string().nullable() })
    .nullable(),
  rateLimit: z.object({ limit: z.number(), period: z.number(), key: z.string().nullable() }).nullable(),
  idempotency: z.string().nullable(),
  debounce: z.object({ period: z.number(), timeout: z.number().nullable(), key: z.string().nullable() }).nullable(),
  batchEvents: z
    .object({
      maxSize: z.number(),
      timeout: z.number(),
      key: z.string().nullable(),
      condition: z.string().nullable(),
    })
    .nullable(),
  singleton: z.object({ mode: z.enum(["skip", "cancel"]), key: z.string().nullable() }).nullable(),
  priority: z.string().nullable(),
  timeouts: z.object({ start: z.number().nullable(), finish: z.number().nullable() }).nullable(),
  cancel: z.array(z.object({ event: z.string(), condition: z.string().nullable(), timeout: z.string().nullable() })),
});

const triggerReply = z.union([
  z.object({ event: z.string(), expression: z.string().nullable() }),
  z.object({ cron: z.string(), jitter: z.number().nullable() }),
]);

/** The form of a function; lengths of time in `configuration` are ms. */
export const functionReply = z
  .object({
    id: z.string(),
    slug: z.string(),
    name: z.string(),
    version: z.int(),
    app_id: z.string(),
    app_name: z.string(),
    status: z.enum(["active", "paused", "archived"]),
    archived: z.boolean(),
    paused: z.object({ since: time, running: z.enum(["hold", "cancel"]) }).nullable(),
    resumed_at: time.nullable(),
    triggers: z.array(triggerReply),
    url: z.string(),
    configuration: configurationReply,
  })
  .meta({ id: "Function" });

/** The function object, its configuration in full. `status` names what matters most: an archived function starts nothing either way. */
export function functionJson(registered: RegisteredFunction): z.output<typeof functionReply> {
  const { id, slug, name, version, app, configuration, archived, paused, resumed } = registered;
  const { triggers, url, ...options } = configuration;
  return {
    id,
    slug,
    name,
    version,
    app_id: app.id,
    app_name: app.name,
    status: archived ? "archived" : paused === null ? "active" : "paused",
    archived,
    paused: paused === null ? null : { since: isoTime(paused.since), running: paused.running },
    resumed_at: isoTimeOrNull(resumed?.until ?? null),
    triggers: triggers.map(({ kind: _kind, ...trigger }) => trigger),
    url,
    configuration: {
      ...options,
      concurrency: [...options.concurrency],
      runConcurrency: [...options.runConcurrency],
      cancel: [...options.cancel],
    },
  };
}
