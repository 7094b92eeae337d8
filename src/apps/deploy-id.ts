/**
 * The `deployId` that travels with a sync started by the engine (protocol/02 §2.1): SDKs that register by themselves hand it back.
 * Owns its form. It identifies and proves nothing: a registration is authenticated by its key alone.
 */
import { isUlid } from "../ids.ts";
import type { SyncOrigin } from "./sync-history.ts";

const SHAPE = /^(dashboard|cli|rest|poll)-(\w+)$/;

/** The `deployId` for a sync of the engine. */
export function deployIdFor(origin: SyncOrigin, syncId: string): string {
  return `${origin}-${syncId}`;
}

/** Who started the sync, and its ULID; null for a `deployId` the engine did not make, such as a deploy hook's. */
export function parseDeployId(
  text: string | undefined,
): { readonly origin: SyncOrigin; readonly syncId: string } | null {
  const [, origin, syncId = ""] = SHAPE.exec(text ?? "") ?? [];
  if (!isUlid(syncId)) return null;
  switch (origin) {
    case "dashboard":
    case "cli":
    case "rest":
    case "poll":
      return { origin, syncId };
    default:
      return null;
  }
}
