/**
 * Who may call the engine's API (API-2, SE-6). Owns the bearer check: which key it is, the environment it selects, and what it may do.
 * Guarantees that no route behind it runs without an environment and a sufficient scope; in dev mode everything is open.
 */
import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { BRANCHES, type Environment, type EnvironmentRef, environmentOf, LOCAL } from "../environments/environment.ts";
import { branchNamed, environmentCalled, knownBranch, knownEnvironment } from "../environments/known.ts";
import { MillraceError } from "../errors.ts";
import { SCOPES, type Scope } from "../keys/api-keys.ts";
import { knownApiKey, knownSigningKey, noteUse } from "../keys/known.ts";
import { bearerMatches } from "../protocol/signature.ts";
import type { Api } from "./api.ts";
import { checkPage } from "./cross-origin.ts";
import { isQuestion } from "./question.ts";

/** Who calls: the environment, and what the key may do there. */
export interface Caller {
  readonly environment: EnvironmentRef;
  readonly scope: Scope;
  /** Whether the key is the deployment's own or the account's: it may create environments. */
  readonly account: boolean;
  /** Pages of other origins that may use the key (API-26). */
  readonly origins: readonly string[];
}

/**
 * Sets `environment` and `caller`, or refuses: 503 `not_configured` without any key, 401 `unauthorized` with a wrong one, 403 `forbidden`
 * when the key may only read and the request would change something, or a page calls that the key does not allow.
 */
export const authenticate = createMiddleware<Api>(async (context, next) => {
  const caller = await callerOf(context);
  checkPage(context, caller.origins);
  const needed: Scope = isQuestion(context.req) ? "read" : "write";
  checkScope(caller, needed);
  context.set("caller", caller);
  context.set("environment", caller.environment);
  await next();
});

/** Lets nobody pass but `admin` keys; to stand behind {@link authenticate}. */
export const adminOnly: MiddlewareHandler<Api> = async (context, next) => {
  checkNeeds(context.get("caller"), "admin");
  await next();
};

/** Lets nobody pass but `admin` keys of the deployment or the account: what is beyond one environment. */
export const accountOnly: MiddlewareHandler<Api> = async (context, next) => {
  checkNeeds(context.get("caller"), "account");
  await next();
};

/** Who may do what is not for every key that may write: admin keys, or only those of the deployment or the account. Throws `forbidden`. */
export function checkNeeds({ scope, account }: Pick<Caller, "scope" | "account">, needs: "admin" | "account"): void {
  checkScope({ scope }, "admin");
  if (needs === "account" && !account) {
    throw new MillraceError("forbidden", "This needs a key of the account, not one of an environment.");
  }
}

function checkScope({ scope }: Pick<Caller, "scope">, needed: Scope): void {
  if (SCOPES.indexOf(scope) >= SCOPES.indexOf(needed)) return;
  throw new MillraceError("forbidden", `This needs a key with the scope "${needed}"; the key has "${scope}".`);
}

async function callerOf(context: Context<Api>): Promise<Caller> {
  const settings = context.get("settings");
  const whole = { scope: "admin", origins: [] } as const;
  if (settings.mode === "dev") return { environment: LOCAL, account: true, ...whole };
  if (settings.signingKeys.length === 0) {
    throw new MillraceError("not_configured", "The secret INNGEST_SIGNING_KEY is not set on this deployment.");
  }
  const authorization = context.req.header("authorization");
  if (await bearerMatches(settings.signingKeys, authorization)) {
    return { environment: environmentOf(settings), account: true, ...whole };
  }
  const token = /^Bearer (\S+)$/i.exec(authorization ?? "")?.[1] ?? "";
  const now = Date.now();
  const signing = await knownSigningKey(context.env.DB, token, now);
  if (signing !== null) {
    return { environment: await signingEnvironment(context, signing.environmentId, now), account: false, ...whole };
  }
  const key = await knownApiKey(context.env.DB, token, now);
  if (key === null) throw refused();
  noteUse({ db: context.env.DB, context: context.executionCtx }, "api_keys", key, now);
  const { scope, origins, environmentId } = key;
  const environment =
    environmentId === null ? await namedEnvironment(context, now) : await usable(context, environmentId, now);
  return { environment, scope, origins, account: environmentId === null };
}

/**
 * The environment of a stored signing key; for the one branches share it is the branch the request names, which a question does not create
 * (EV-23).
 */
async function signingEnvironment(context: Context<Api>, holderId: string, now: number): Promise<Environment> {
  if (holderId !== BRANCHES.id) return await usable(context, holderId, now);
  const name = context.req.header("x-inngest-env") ?? "";
  if (name === "") throw new MillraceError("environment_mismatch", NAMELESS);
  if (!isQuestion(context.req)) return await branchNamed(context.env, name, now);
  const known = await knownBranch(context.env, name, now);
  if (known === null) throw new MillraceError("environment_not_found", `No branch is called "${name}".`);
  return known;
}

const NAMELESS = `This is the signing key of all branches: name one in the header x-inngest-env, or set INNGEST_ENV. The SDK for JavaScript \
does so in all its requests from 4.19 on.`;

/** The environment that a request with a key of the account names; without a name the deployment's own. */
async function namedEnvironment(context: Context<Api>, now: number): Promise<EnvironmentRef> {
  const settings = context.get("settings");
  const name = context.req.header("x-inngest-env") ?? "";
  return name === "" ? environmentOf(settings) : await environmentCalled(context.env, settings, name, now);
}

async function usable(context: Context<Api>, environmentId: string, now: number): Promise<Environment> {
  const environment = await knownEnvironment(context.env, context.get("settings"), environmentId, now);
  if (environment === null) throw refused();
  return environment;
}

function refused(): MillraceError {
  return new MillraceError("unauthorized", "Authentication failed");
}
