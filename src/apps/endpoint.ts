/**
 * Apps and functions that no sync ever announced: endpoints that run in their app's own HTTP handler (EX-68). Owns their identity,
 * derived from where they are, and their entry in the list of apps on first use. Nothing is ever called by that entry.
 */
import { derivedUuid } from "../ids.ts";
import { ENDPOINT, RUN } from "../limits.ts";
import type { EndpointRequest } from "../protocol/endpoint-report.ts";
import { forgetCatalog } from "./catalog.ts";
import { configurationText } from "./changes.ts";
import { countFunctions, endpointStatements } from "./store.ts";

/** An endpoint as runs know it. */
export interface Endpoint {
  readonly app: { readonly id: string; readonly name: string };
  readonly function: { readonly id: string; readonly slug: string; readonly name: string; readonly version: number };
}

/** The endpoint a request went to: the app is its host, the function its own id, or its method and path. */
export async function endpointOf(environmentId: string, request: EndpointRequest): Promise<Endpoint> {
  const { host } = new URL(request.origin);
  const name = request.functionId ?? `${request.method} ${request.path}`;
  const [appId, functionId] = await Promise.all([
    derivedUuid("endpoint app", environmentId, host),
    derivedUuid("endpoint", environmentId, host, name),
  ]);
  return {
    app: { id: appId, name: host },
    function: { id: functionId, slug: `${host}-${name}`, name, version: 1 },
  };
}

const listed = new WeakMap<D1Database, Set<string>>();

/** Sees to it that the endpoint is listed; free after an isolate's first time. The schema must be in place. */
export async function listEndpoint(
  db: D1Database,
  environmentId: string,
  { app, function: { id, slug, name } }: Endpoint,
  { origin, path }: EndpointRequest,
  { sdk, retries, now }: { readonly sdk: string; readonly retries: number; readonly now: number },
): Promise<void> {
  const known = listed.get(db) ?? new Set<string>();
  listed.set(db, known);
  const key = `${environmentId} ${id}`;
  if (known.has(key)) return;
  const { count, found } = await countFunctions(db, environmentId, app.id, id);
  if (!found && count < ENDPOINT.functions) {
    const url = `${origin}${path}`;
    const configuration = configurationText({ slug, name, configuration: { ...UNCONFIGURED, url, retries } });
    const stored = { ...app, url: origin, sdk: sdk.replace(/^inngest-/, ""), syncedAt: now };
    await db.batch(endpointStatements(db, environmentId, stored, { id, slug, name, url, configuration }));
    forgetCatalog(db, environmentId);
  }
  if (known.size >= ENDPOINT.known) known.clear();
  known.add(key);
}

/** Flow control does not apply to endpoints (EX-70), and no event starts them. */
const UNCONFIGURED = {
  triggers: [],
  retries: RUN.retries,
  concurrency: [],
  runConcurrency: [],
  throttle: null,
  rateLimit: null,
  idempotency: null,
  debounce: null,
  batchEvents: null,
  singleton: null,
  priority: null,
  timeouts: null,
  cancel: [],
} as const;
