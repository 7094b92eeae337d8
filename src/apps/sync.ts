/**
 * Registering an app (AP-4 … AP-7, AP-9 … AP-11): whoever starts it, every sync ends here.
 * Owns the order: parse, check, compare, store, forget the cached catalog, set the schedules. Guarantees that a refused registration stores
 * nothing of the app, that an accepted one is stored as a whole, and that crons are set when a sync succeeds (TR-14).
 */

import type { Bindings } from "../bindings.ts";
import { appTargetPolicy } from "../calls/address.ts";
import { type EnvironmentRef, isStored } from "../environments/environment.ts";
import { forgetEnvironments } from "../environments/known.ts";
import { settingsIn } from "../environments/settings.ts";
import { noteSync } from "../environments/store.ts";
import { MillraceError } from "../errors.ts";
import { inParallel } from "../events/parallel.ts";
import { ensureSchema } from "../history/schema.ts";
import { derivedUuid, newUlid } from "../ids.ts";
import type { Json } from "../json.ts";
import { CAPACITY } from "../limits.ts";
import { environmentStub } from "../objects.ts";
import { parseRegistration, type Registration } from "../protocol/registration.ts";
import { relimitLines } from "../runs/listed-lines.ts";
import type { Settings } from "../settings.ts";
import { catalogOf, forgetCatalog } from "./catalog.ts";
import { type AppFacts, changesBetween, checksumOf, type RegistrationChanges } from "./changes.ts";
import { deployIdFor } from "./deploy-id.ts";
import { findApp, saveStatements, touchStatement } from "./store.ts";
import { requestSync } from "./sync-call.ts";
import { findSyncSince, recordFailure, type SyncFacts, type SyncOrigin, successStatements } from "./sync-history.ts";
import { checkServeUrl, withoutSecrets } from "./url.ts";
import { type CheckedRegistration, checkRegistration } from "./validation/registration.ts";
import { hasViolations, refusalOf, type Warning } from "./violation.ts";

/** Everything about a sync but the app's configuration. */
export interface SyncRequest {
  readonly environment: EnvironmentRef;
  readonly settings: Settings;
  readonly origin: SyncOrigin;
  /** ULID. */
  readonly syncId: string;
  /** The URL that was asked, for an app that does not report its own. */
  readonly requestedUrl: string | null;
  /** ms since 1970. */
  readonly now: number;
}

/** A sync that succeeded. */
export interface SyncResult {
  readonly appId: string;
  readonly syncId: string;
  /** False when the app was registered exactly so before. */
  readonly modified: boolean;
  readonly changes: RegistrationChanges;
  readonly warnings: readonly Warning[];
}

/** The id of an app: the client id is its identity, within its environment (AP-2, AP-23). */
function appIdFor(environmentId: string, name: string): Promise<string> {
  return derivedUuid("app", environmentId, name);
}

/** The id of a function. The app belongs to it: `a` with `b-c` and `a-b` with `c` have the same slug. */
function functionIdFor(environmentId: string, appName: string, slug: string): Promise<string> {
  return derivedUuid("function", environmentId, appName, slug);
}

/**
 * Registers an app from the body of `POST /fn/register` or of an in-band reply. Throws the refusal of AP-14 with the first violation's
 * code and every violation in its message, after keeping it in the sync history where AP-9 and AP-10 want that.
 */
export async function registerApp(bindings: Bindings, body: Json, request: SyncRequest): Promise<SyncResult> {
  const db = bindings.DB;
  await ensureSchema(db);
  const { environment, settings } = request;
  const registration = parseRegistration(body);
  const policy = appTargetPolicy(settings);
  const checked = checkRegistration(registration, request.requestedUrl, policy);
  if (isStored(environment)) {
    await noteSync(db, environment.id, request.now);
    // A branch that comes back by this sync takes events at once.
    forgetEnvironments(db);
  }
  const appId = await appIdFor(environment.id, registration.appName);
  const facts: SyncFacts = {
    id: request.syncId,
    origin: request.origin,
    url: checked.url === "" ? withoutSecrets(registration.url ?? request.requestedUrl) : checked.url,
    sdk: registration.sdk,
    appVersion: registration.appVersion,
    createdAt: request.now,
  };
  if (hasViolations(checked.violations)) {
    const refusal = refusalOf(checked.violations);
    await recordFailure(db, environment.id, appId, facts, refusal.message);
    throw refusal;
  }
  const outcome = await store(db, environment.id, appId, registration, checked, facts);
  await environmentStub(bindings, environment.id).reschedule();
  await relimit(bindings, environment.id, registration.appName, outcome.changes);
  return { appId, syncId: request.syncId, ...outcome, warnings: checked.warnings };
}

/** Lets waiting runs know of changed limits (FC-11); runs that come later bring them along. */
async function relimit(
  bindings: Bindings,
  environmentId: string,
  appName: string,
  { changed }: RegistrationChanges,
): Promise<void> {
  const slugs = changed.filter(({ fields }) => fields.some(({ field }) => LIMITS.test(field))).map(({ slug }) => slug);
  if (slugs.length === 0) return;
  const catalog = await catalogOf(bindings, environmentId, Date.now());
  await inParallel(CAPACITY.parallel, slugs, async (slug) => {
    const registered = catalog.functionById(await functionIdFor(environmentId, appName, slug));
    if (registered !== null) await relimitLines(bindings, environmentId, registered);
  });
}

/** Fields of a configuration that lines are limited by. */
const LIMITS = /^(concurrency|runConcurrency|throttle)\b/;

async function store(
  db: D1Database,
  environmentId: string,
  appId: string,
  registration: Registration,
  { url, functions, warnings }: CheckedRegistration,
  facts: SyncFacts,
): Promise<{ readonly modified: boolean; readonly changes: RegistrationChanges }> {
  const { sdk, framework, appVersion, platform } = registration;
  const app: AppFacts = { name: registration.appName, url, sdk, framework, appVersion };
  const [known, checksum] = await Promise.all([findApp(db, environmentId, appId), checksumOf(app, functions)]);
  const changes = changesBetween(known?.functions ?? [], functions);
  // An archived app or function comes back even with the configuration it had (AP-24, AP-25).
  const modified = known?.app.checksum !== checksum || known.app.archived || changes.added.length > 0;
  const entry = successStatements(db, environmentId, appId, facts, { modified, changes, warnings });
  if (!modified) {
    await db.batch([touchStatement(db, environmentId, appId, facts.createdAt), ...entry]);
    return { modified, changes };
  }
  const identified = await Promise.all(
    functions.map(async (configured) => {
      return { ...configured, id: await functionIdFor(environmentId, app.name, configured.slug) };
    }),
  );
  const capabilities = JSON.stringify(registration.capabilities);
  const stored = { ...app, id: appId, method: "serve", platform, capabilities, checksum } as const;
  const replacement = { ...stored, syncedAt: facts.createdAt, functions: identified };
  await db.batch([...saveStatements(db, environmentId, replacement), ...entry]);
  forgetCatalog(db, environmentId);
  return { modified, changes };
}

/**
 * Syncs the app at a URL (AP-5): asks it for its configuration and stores that, or waits for the registration it makes by itself.
 * Throws a `MillraceError` with a reason of AP-9 or the refusal of AP-14. `now` in ms since 1970.
 */
export async function syncUrl(
  bindings: Bindings,
  environment: EnvironmentRef,
  url: string,
  { origin, now }: { readonly origin: SyncOrigin; readonly now: number },
): Promise<SyncResult> {
  const settings = await settingsIn(bindings, environment.id, now);
  const checked = checkServeUrl(url, appTargetPolicy(settings));
  if (!checked.ok) throw new MillraceError(checked.code, checked.message);
  await ensureSchema(bindings.DB);
  const syncId = newUlid(now);
  const answer = await requestSync(settings, checked.url, deployIdFor(origin, syncId), now);
  if (answer.kind === "in_band") {
    const request: SyncRequest = { environment, settings, origin, syncId, requestedUrl: checked.url, now };
    return registerApp(bindings, answer.body, request);
  }
  const found = await findSyncSince(bindings.DB, environment.id, syncId, { url: checked.url, now });
  if (found === null) {
    const text =
      "The app answered, but its registration did not arrive in this environment: check its INNGEST_BASE_URL and its keys.";
    throw new MillraceError("environment_mismatch", text);
  }
  forgetCatalog(bindings.DB, environment.id);
  const { appId, modified, changes, warnings } = found;
  return { appId, syncId: found.id ?? syncId, modified, changes, warnings };
}
