/**
 * Tokens that stand in for a signing key where a browser or a redirected caller asks (SE-17, protocol/05 §5.6): JSON web tokens of
 * one fixed algorithm. Owns their claims. Guarantees that a token is good for one purpose, one environment and its time only, and
 * that nothing about a refused one leaves this file but that it was refused.
 */
import { decode, sign, verify } from "hono/jwt";
import * as z from "zod";
import { ACCOUNT_ID } from "../environments/environment.ts";
import { MillraceError } from "../errors.ts";
import { newUlid } from "../ids.ts";
import { TOKEN } from "../limits.ts";
import type { Settings } from "../settings.ts";

const ALGORITHM = "HS256";
const OUTPUT = { iss: "api.inngest.com", aud: "run-output", sub: "run-claim" } as const;
const REALTIME = { iss: "rt.inngest.com", aud: "realtime", sub: ACCOUNT_ID } as const;

/** What a realtime token allows: to hear some topics of one channel, or to publish to them; never both (RT-4). */
export interface Grant {
  readonly right: "subscribe" | "publish";
  readonly channel: string;
  /** At least one. `$stream` is the raw stream of an endpoint's run, whose channel is the run's id. */
  readonly topics: readonly string[];
}

/** The token of an endpoint's result URL (EX-70). `now` in ms. Throws `not_configured` without a secret. */
export function outputToken(settings: Settings, environmentId: string, runId: string, now: number): Promise<string> {
  return signed(settings, OUTPUT, now, TOKEN.output, { env: environmentId, run_id: runId });
}

/** A realtime token. `now` in ms. Throws `not_configured` without a secret. */
export function realtimeToken(
  settings: Settings,
  environmentId: string,
  { right, channel, topics }: Grant,
  now: number,
): Promise<string> {
  // The channel once and topics by their names alone: SDKs do not look inside, and the token has to fit into a URL.
  const claims = { jti: newUlid(now), env: environmentId, channel, topics, publish: right === "publish" };
  return signed(settings, REALTIME, now, TOKEN.realtime, claims);
}

const outputClaims = z.object({ env: z.string(), run_id: z.string() });

/** Checks a result token for a run of the environment. Throws `unauthorized`. */
export async function checkOutputToken(
  settings: Settings,
  environmentId: string,
  runId: string,
  token: string,
  now: number,
): Promise<void> {
  const claims = outputClaims.safeParse(await verified(settings, OUTPUT, token, now));
  if (claims.data?.env !== environmentId || claims.data.run_id !== runId) throw refused();
}

const realtimeClaims = z.object({
  env: z.string(),
  channel: z.string(),
  topics: z.array(z.string()),
  publish: z.boolean(),
});

/** Checks a realtime token of the environment and answers what it allows. Throws `unauthorized`. */
export async function checkRealtimeToken(
  settings: Settings,
  environmentId: string,
  token: string,
  now: number,
): Promise<Grant> {
  const { data } = realtimeClaims.safeParse(await verified(settings, REALTIME, token, now));
  if (data?.env !== environmentId) throw refused();
  return { right: data.publish ? "publish" : "subscribe", channel: data.channel, topics: data.topics };
}

const claimed = z.object({ payload: z.object({ env: z.string() }) });

/**
 * The environment that a token says it is of, so that it can be checked for that one: nobody has looked at its signature yet. Throws
 * `unauthorized` for what is no token.
 */
export function claimedEnvironment(token: string): string {
  try {
    return claimed.parse(decode(token)).payload.env;
  } catch {
    // Whatever is wrong with it: a forged token learns nothing.
    throw refused();
  }
}

interface Purpose {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
}

async function signed(
  settings: Settings,
  purpose: Purpose,
  now: number,
  life: number,
  claims: Readonly<Record<string, unknown>>,
): Promise<string> {
  const [secret] = settings.secrets;
  if (secret === undefined) {
    throw new MillraceError("not_configured", "The secret MILLRACE_SECRET is not set on this deployment.");
  }
  const iat = Math.floor(now / 1000);
  return await sign({ ...claims, ...purpose, iat, exp: iat + life / 1000 }, secret, ALGORITHM);
}

const times = z.object({ iat: z.number(), exp: z.number(), sub: z.string() });

async function verified(settings: Settings, purpose: Purpose, token: string, now: number): Promise<unknown> {
  for (const secret of settings.secrets) {
    const claims = await verify(token, secret, {
      alg: ALGORITHM,
      iss: purpose.iss,
      aud: purpose.aud,
      exp: false,
      iat: false,
    })
      // Whatever is wrong with it: a forged token learns nothing.
      .catch(() => null);
    const { data } = times.safeParse(claims);
    if (data === undefined || data.sub !== purpose.sub) continue;
    if (data.iat * 1000 <= now + TOKEN.skew && now < data.exp * 1000) return claims;
  }
  throw refused();
}

function refused(): MillraceError {
  return new MillraceError("unauthorized", "The token is not valid for this, or it has expired.");
}
