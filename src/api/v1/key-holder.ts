/**
 * Whose keys and webhooks a request of REST v1 is about: those that its environment holds, or all branches (EV-22).
 */
import type { Context } from "hono";
import { type KeyHolder, keyHolderIn } from "../../environments/holder.ts";
import type { Api } from "../api.ts";

/** The holder. Throws `environment_not_found`. */
export async function holderOf(context: Context<Api>): Promise<KeyHolder> {
  return await keyHolderIn(context.env, context.get("settings"), context.get("environment").id, Date.now());
}
