/**
 * An environment as REST v1 shows it (API-20). Pure. Owns the JSON shape.
 */
import * as z from "zod";
import { type Environment, slugOf } from "../../environments/environment.ts";
import { time } from "./reply.ts";
import { shownKey } from "./shown-key.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

/** The fields of an environment. */
const environmentFields = {
  id: z.string(),
  kind: z.enum(["local", "production", "branches", "custom", "branch"]),
  name: z.string(),
  slug: z.string(),
  /** Null: it was always there. */
  created_at: time.nullable(),
  /** Of branches. */
  synced_at: time.nullable(),
  auto_archive: z.boolean(),
  archived_at: time.nullable(),
};

/** The form of an environment. */
export const environmentReply = z.object(environmentFields).meta({ id: "Environment" });

/** The form of a new one, with its keys in clear. */
export const newEnvironmentReply = z.object({ ...environmentFields, signing_key: shownKey, event_key: shownKey });

/** The environment object. */
export function environmentJson(environment: Environment): z.output<typeof environmentReply> {
  const { id, kind, name, createdAt, syncedAt, autoArchive, archivedAt } = environment;
  return {
    id,
    kind,
    name,
    slug: slugOf(name),
    created_at: createdAt === 0 ? null : isoTime(createdAt),
    synced_at: kind === "branch" ? isoTime(syncedAt) : null,
    auto_archive: kind === "branch" && autoArchive,
    archived_at: isoTimeOrNull(archivedAt),
  };
}
