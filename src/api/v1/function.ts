/**
 * A function as REST v1 shows it (API-18). Pure. Owns the JSON shape and the words for a function's status.
 */
import type { RegisteredFunction } from "../../apps/function.ts";
import type { JsonObject } from "../../json.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

/** The function object, its configuration in full. `status` names what matters most: an archived function starts nothing either way. */
export function functionJson(registered: RegisteredFunction): JsonObject {
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
    // Plain data by construction: numbers, texts, lists and records of them.
    configuration: options as unknown as JsonObject,
  };
}
