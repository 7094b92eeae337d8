/**
 * The URLs of webhooks (EV-29), which are secrets: who knows one may send. Owns where the engine is for providers, and that a URL is shown only
 * where its key can be opened.
 */
import { MillraceError } from "../errors.ts";
import { unseal } from "../keys/sealed.ts";
import type { Settings } from "../settings.ts";
import type { Webhook } from "./store.ts";

/** The URL with this key. `requestUrl` is what the engine was asked by, for deployments that do not know their own. */
export function urlOf({ publicUrl }: Pick<Settings, "publicUrl">, requestUrl: string, value: string): string {
  const { origin, pathname } = new URL(publicUrl ?? new URL("/", requestUrl));
  return `${origin}${pathname.replace(/\/$/, "")}/e/${value}`;
}

/** The URL of a stored webhook; null when its key cannot be opened with the deployment's secret, with which it works all the same. */
export async function urlOfWebhook(
  settings: Pick<Settings, "publicUrl" | "secrets">,
  requestUrl: string,
  { key, sealed }: Pick<Webhook, "key" | "sealed">,
): Promise<string | null> {
  try {
    return urlOf(settings, requestUrl, (await unseal(settings.secrets, key.environmentId, sealed)).text);
  } catch (error) {
    if (error instanceof MillraceError && error.code === "not_configured") return null;
    throw error;
  }
}
