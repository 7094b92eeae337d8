/**
 * The deployment itself over v2: health, the account, its one environment and its keys (API-22). Owns how keys are shown: never in full.
 */
import * as z from "zod";
import { ACCOUNT_ID } from "../../environment.ts";
import { MillraceError } from "../../errors.ts";
import { failingStorage } from "../../health.ts";
import { hex, sha256 } from "../../ids.ts";
import { hashedKey } from "../../protocol/signature.ts";
import { operation, pageEnd } from "./operation.ts";
import { name, paging } from "./parameters.ts";

const environmentReply = z
  .object({
    id: z.string(),
    name: z.string(),
    type: z.enum(["PRODUCTION", "DEVELOPMENT"]),
    isArchived: z.boolean(),
  })
  .meta({ id: "Environment" });

const keyReply = z
  .object({
    name: z.string(),
    environmentId: z.string(),
    /** The beginning of the key's hash: enough to tell keys apart. */
    fingerprint: z.string(),
    isCurrent: z.boolean(),
  })
  .meta({ id: "Key" });

/** What is still to come says so, and not that it worked. */
function notBuilt(what: string): never {
  throw new MillraceError("not_implemented", `${what} is not built yet.`);
}

/** Characters of a key's hash that are shown (AP-26). */
const FINGERPRINT = 12;

/** The calls. */
export const service = [
  operation({
    id: "health",
    method: "GET",
    path: "/health",
    summary: "Whether the engine can read and write its storage.",
    open: true,
    data: z.object({ status: z.literal("ok") }),
    handler: async ({ bindings, environment, now }) => {
      const failing = await failingStorage(bindings, environment.id, now);
      if (failing.length > 0) throw new MillraceError("storage_failed", `Storage fails: ${failing.join(", ")}`);
      return { data: { status: "ok" as const } };
    },
  }),
  operation({
    id: "getAccount",
    method: "GET",
    path: "/account",
    summary: "The account this deployment belongs to.",
    data: z.object({ id: z.string(), name: z.string() }),
    handler: () => ({ data: { id: ACCOUNT_ID, name: "millrace" } }),
  }),
  operation({
    id: "listEnvs",
    method: "GET",
    path: "/envs",
    summary: "The environments; a deployment has one.",
    parameters: paging(),
    paged: true,
    data: z.array(environmentReply),
    handler: ({ environment, settings }, { limit, cursor }) => {
      const type = settings.mode === "dev" ? "DEVELOPMENT" : "PRODUCTION";
      const only = { id: environment.id, name: environment.name, type, isArchived: false } as const;
      return { data: cursor === null ? [only] : [], page: pageEnd(limit, null) };
    },
  }),
  operation({
    id: "createEnv",
    method: "POST",
    path: "/envs",
    summary: "Creates an environment.",
    body: { name },
    data: environmentReply,
    handler: () => notBuilt("More than one environment"),
  }),
  operation({
    id: "updateEnv",
    method: "PATCH",
    path: "/envs/:id",
    summary: "Archives an environment, or brings it back.",
    parameters: { id: name },
    body: { isArchived: z.boolean() },
    data: environmentReply,
    handler: () => notBuilt("Archiving environments"),
  }),
  operation({
    id: "listEventKeys",
    method: "GET",
    path: "/keys/events",
    summary: "The event keys, without their values.",
    parameters: paging(),
    paged: true,
    data: z.array(keyReply),
    handler: async ({ environment, settings }, { limit, cursor }) => {
      const keys = cursor === null ? settings.eventKeys : [];
      const data = keys.map(async (key, index) => ({
        name: `INNGEST_EVENT_KEY ${index + 1}`,
        environmentId: environment.id,
        fingerprint: hex(await sha256(key)).slice(0, FINGERPRINT),
        isCurrent: true,
      }));
      return { data: await Promise.all(data), page: pageEnd(limit, null) };
    },
  }),
  operation({
    id: "listSigningKeys",
    method: "GET",
    path: "/keys/signing",
    summary: "The signing keys, without their values.",
    parameters: paging(),
    paged: true,
    data: z.array(keyReply),
    handler: async ({ environment, settings }, { limit, cursor }) => {
      const keys = cursor === null ? settings.signingKeys : [];
      const data = keys.map(async (key, index) => ({
        name: index === 0 ? "INNGEST_SIGNING_KEY" : "INNGEST_SIGNING_KEY_FALLBACK",
        environmentId: environment.id,
        fingerprint: (await hashedKey(key)).replace(/^signkey-\w+-/, "").slice(0, FINGERPRINT),
        isCurrent: index === 0,
      }));
      return { data: await Promise.all(data), page: pageEnd(limit, null) };
    },
  }),
  operation({
    id: "listWebhooks",
    method: "GET",
    path: "/env/webhooks",
    summary: "The webhooks of the environment; there are none yet.",
    parameters: paging(),
    paged: true,
    data: z.array(z.object({ id: z.string(), name: z.string(), url: z.string() })),
    handler: (_call, { limit }) => ({ data: [], page: pageEnd(limit, null) }),
  }),
  operation({
    id: "createWebhook",
    method: "POST",
    path: "/env/webhooks",
    summary: "Creates a webhook.",
    body: { name },
    data: z.object({ id: z.string(), name: z.string(), url: z.string() }),
    handler: () => notBuilt("Webhooks"),
  }),
];
