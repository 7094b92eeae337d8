/**
 * The deployment itself over v2: health, the account (API-22).
 */
import * as z from "zod";
import { ACCOUNT_ID } from "../../environments/environment.ts";
import { MillraceError } from "../../errors.ts";
import { failingStorage } from "../../health.ts";
import { operation } from "./operation.ts";

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
];
