/**
 * Keys over v2 (API-22). Owns how they are shown: never in full, only by the beginning of their hash.
 */
import * as z from "zod";
import { PRODUCTION } from "../../environments/environment.ts";
import { keyHolderIn } from "../../environments/holder.ts";
import { listEventKeys } from "../../keys/event-keys.ts";
import { fingerprintOf } from "../../keys/fingerprint.ts";
import { shownSigningKeys } from "../../keys/signing-rotation.ts";
import { keyHash } from "../../keys/value.ts";
import { isoTime } from "../v1/time.ts";
import { type Call, operation, pageEnd } from "./operation.ts";
import { paging } from "./parameters.ts";

const keyReply = z
  .object({
    /** Of stored keys. */
    id: z.string().optional(),
    name: z.string(),
    environmentId: z.string(),
    /** The beginning of the key's hash: enough to tell keys apart. Absent when it cannot be opened with MILLRACE_SECRET. */
    fingerprint: z.string().optional(),
    isCurrent: z.boolean(),
    createdAt: z.iso.datetime().optional(),
  })
  .meta({ id: "Key" });

type Key = z.output<typeof keyReply>;

/** The calls. All keys of an environment fit on one page. */
export const keys = [
  operation({
    id: "listEventKeys",
    method: "GET",
    path: "/keys/events",
    summary: "The event keys, without their values.",
    needs: "admin",
    parameters: paging(),
    paged: true,
    data: z.array(keyReply),
    handler: async (call, { limit, cursor }) => {
      return { data: cursor === null ? await eventKeys(call) : [], page: pageEnd(limit, null) };
    },
  }),
  operation({
    id: "listSigningKeys",
    method: "GET",
    path: "/keys/signing",
    summary: "The signing keys, without their values.",
    needs: "admin",
    parameters: paging(),
    paged: true,
    data: z.array(keyReply),
    handler: async (call, { limit, cursor }) => {
      return { data: cursor === null ? await signingKeys(call) : [], page: pageEnd(limit, null) };
    },
  }),
];

async function eventKeys({ bindings, settings, environment, now }: Call): Promise<Key[]> {
  const { id: environmentId } = await keyHolderIn(bindings, settings, environment.id, now);
  const secrets = environmentId === PRODUCTION.id ? settings.eventKeys : [];
  const own = secrets.map(async (value, index): Promise<Key> => {
    const fingerprint = fingerprintOf(await keyHash(value));
    return { name: `INNGEST_EVENT_KEY ${index + 1}`, environmentId, fingerprint, isCurrent: true };
  });
  const stored = (await listEventKeys(bindings.DB, environmentId)).map(({ id, name, hash, disabledAt, createdAt }) => {
    const isCurrent = disabledAt === null;
    return { id, name, environmentId, fingerprint: fingerprintOf(hash), isCurrent, createdAt: isoTime(createdAt) };
  });
  return [...(await Promise.all(own)), ...stored];
}

async function signingKeys({ bindings, settings, environment, now }: Call): Promise<Key[]> {
  const { id: environmentId } = await keyHolderIn(bindings, settings, environment.id, now);
  const shown = await shownSigningKeys(bindings.DB, settings, environmentId);
  return shown.map(({ id, name, state, fingerprint, createdAt }) => ({
    ...(createdAt === null ? {} : { id, createdAt: isoTime(createdAt) }),
    name,
    environmentId,
    ...(fingerprint === null ? {} : { fingerprint }),
    isCurrent: state === "current",
  }));
}
