/**
 * Webhooks of a deployment in cloud mode, as operators make them over REST and providers call them.
 */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { router } from "../../../src/api/router.ts";
import type { Bindings } from "../../../src/bindings.ts";
import { type Asking, ask, cloud } from "../cloud.ts";

/** A webhook as REST shows it. */
export interface Shown {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly [field: string]: unknown;
}

/** Makes a webhook; throws what the engine refused. */
export async function webhook(body: object, asking: Asking = {}): Promise<Shown> {
  const made = await ask("POST", "/v1/webhooks", body, asking);
  if (made.status !== 200) throw new Error(`${made.status} ${made.text}`);
  return made.body.data;
}

/** A transform that hands on what it was given. */
export const ALL =
  "function transform(evt, headers, queryParams, raw) { return { name: 'hook/all', data: { evt, headers, queryParams, raw } } }";

/** What a provider's request is answered. */
export async function post(
  url: string,
  body: BodyInit | null,
  { headers = {}, deployment = cloud }: { headers?: Record<string, string>; deployment?: Bindings } = {},
) {
  const context = createExecutionContext();
  const response = await router.request(url, { method: "POST", body, headers }, deployment, context);
  const text = await response.text();
  await waitOnExecutionContext(context);
  // biome-ignore lint/suspicious/noExplicitAny: a reply is whatever the test says it is.
  let json: any = null;
  try {
    json = JSON.parse(text);
  } catch {
    // Webhooks may answer anything.
  }
  return { status: response.status, text, json, headers: response.headers };
}

/** An event as REST shows it. */
export async function eventOf(id: string, asking: Asking = {}) {
  return (await ask("GET", `/v1/events/${id}`, undefined, asking)).body.data;
}
