/**
 * Event keys (EV-20). Owns who may send: in cloud mode whoever names a configured key, in dev mode everybody.
 * Guarantees that comparing tells nothing about the keys and that no key appears in an error.
 */
import { MillraceError } from "../errors.ts";
import { equal } from "../protocol/signature.ts";
import type { Settings } from "../settings.ts";

/** Throws `not_configured`, `event_key_missing` or `event_key_not_found` when the key of the path may not send. */
export async function checkEventKey(settings: Pick<Settings, "mode" | "eventKeys">, key: string): Promise<void> {
  if (settings.mode === "dev") return;
  if (settings.eventKeys.length === 0) throw new MillraceError("not_configured", "No event key is configured");
  if (key === "") throw new MillraceError("event_key_missing", "Event key is required");
  const matches = await Promise.all(settings.eventKeys.map((known) => equal(known, key)));
  if (!matches.includes(true)) throw new MillraceError("event_key_not_found", "Event key not found");
}
