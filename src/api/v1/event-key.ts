/**
 * An event key as REST v1 shows it (API-20), never with its value. Pure. Owns the JSON shape, and which ids are those of secrets.
 */
import * as z from "zod";
import type { EventKey } from "../../keys/event-keys.ts";
import { keyFilters, NO_FILTERS } from "../../keys/filter.ts";
import { fingerprintOf } from "../../keys/fingerprint.ts";
import { keyHash } from "../../keys/value.ts";
import { time } from "./reply.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

/** Who keeps a key: the engine, or whoever set the deployment's secret. */
export const managed = z.enum(["stored", "secret"]);

/** The fields of an event key. */
const eventKeyFields = {
  id: z.string(),
  name: z.string(),
  fingerprint: z.string(),
  managed,
  filters: keyFilters,
  /** Null for secrets. */
  created_at: time.nullable(),
  disabled_at: time.nullable(),
  used_at: time.nullable(),
};

/** The form of an event key. */
export const eventKeyReply = z.object(eventKeyFields).meta({ id: "EventKey" });

/** The form of a new one, in clear. */
export const newEventKeyReply = z.object({ ...eventKeyFields, key: z.string() });

/** The event key object. */
export function eventKeyJson(key: EventKey): z.output<typeof eventKeyReply> {
  const { id, name, hash, filters, createdAt, disabledAt, usedAt } = key;
  return {
    id,
    name,
    fingerprint: fingerprintOf(hash),
    managed: "stored",
    filters,
    created_at: isoTime(createdAt),
    disabled_at: isoTimeOrNull(disabledAt),
    used_at: isoTimeOrNull(usedAt),
  };
}

/** One of the keys in the secret INNGEST_EVENT_KEY, in its order. */
export async function secretKeyJson(value: string, index: number): Promise<z.output<typeof eventKeyReply>> {
  return {
    id: `secret-${index + 1}`,
    name: `INNGEST_EVENT_KEY ${index + 1}`,
    fingerprint: fingerprintOf(await keyHash(value)),
    managed: "secret",
    filters: NO_FILTERS,
    created_at: null,
    disabled_at: null,
    used_at: null,
  };
}
