/**
 * A run's call of its app, from job to reply: where the app is now, signing, sending, and reading the answer.
 * Owns the order of these; guarantees a `CallReply` for every outcome, so that the run always learns how its attempt ended.
 */
import { catalogOf } from "../apps/catalog.ts";
import type { Bindings } from "../bindings.ts";
import type { Job, RunState } from "../decide/run/state.ts";
import { knownEnvironment } from "../environments/known.ts";
import { settingsIn } from "../environments/settings.ts";
import { messageOf } from "../errors.ts";
import { utf8Length } from "../history/bulk.ts";
import { CALL } from "../limits.ts";
import { type CallReply, failedAttempt, parseReply } from "../protocol/call-reply.ts";
import { buildCall, type SignableCall } from "../protocol/call-request.ts";
import { buildEndpointCall } from "../protocol/endpoint-request.ts";
import { requestsOf } from "../protocol/sdk-requests.ts";
import { signBody } from "../protocol/signature.ts";
import { testLimitsOf } from "../runs/test-limits.ts";
import type { Settings } from "../settings.ts";
import { traceHeaders } from "../traces/context.ts";
import { appTargetPolicy } from "./address.ts";
import { exchange, type HttpExchange, type HttpOutcome } from "./http.ts";

/** Calls the app for a job. `crowded`: the object already holds as many connections as it may. */
export async function callApp(bindings: Bindings, state: RunState, job: Job, crowded: boolean): Promise<CallReply> {
  try {
    return await attempt(bindings, state, job, crowded);
  } catch (error) {
    return failedAttempt("app_unreachable", `The call could not be made: ${messageOf(error)}`);
  }
}

async function attempt(bindings: Bindings, state: RunState, job: Job, crowded: boolean): Promise<CallReply> {
  const settings = await settingsIn(bindings, state.identity.environmentId, Date.now());
  const request = await requestFor(bindings, settings, state, job);
  if (request === null) {
    return failedAttempt("app_unreachable", `The app "${state.identity.app.name}" is no longer registered.`);
  }
  const send = (exchanged: HttpExchange) => (crowded ? bindings.CALLER.call(exchanged) : exchange(exchanged));
  const traced = { ...request, headers: { ...request.headers, ...traceHeaders(state, job) } };
  const outcome = await sendSigned(traced, settings, send);
  const now = Date.now();
  const sent = utf8Length(request.body ?? "");
  if (!outcome.ok) return { ...failedAttempt(outcome.code, outcome.message), exchange: { sent } };
  const { status, body } = outcome.reply;
  return { ...parseReply(outcome.reply, now), exchange: { status, sent, received: utf8Length(body) } };
}

/** What to send; null when the app is gone. */
async function requestFor(
  bindings: Bindings,
  settings: Settings,
  state: RunState,
  job: Job,
): Promise<SignableCall | null> {
  const { identity } = state;
  const maxSteps = testLimitsOf(identity).maxSteps ?? settings.maxSteps;
  const context = { requestId: crypto.randomUUID(), serverKind: settings.mode, maxSteps };
  if (identity.endpoint !== undefined) return buildEndpointCall(state, job, identity.endpoint, context);
  // The code is always the newest deployed one, wherever the app lives by now (EX-62, AP-12).
  const now = Date.now();
  const [catalog, environment] = await Promise.all([
    catalogOf(bindings, identity.environmentId, now),
    knownEnvironment(bindings, settings, identity.environmentId, now),
  ]);
  const registered = catalog.functionById(identity.function.id);
  const app = catalog.app(identity.app.id);
  if (registered === null || app === null) return null;
  const call = buildCall(state, job, {
    ...context,
    url: registered.configuration.url,
    requests: requestsOf(app.sdk, environment?.kind === "branch"),
    canonical: settings.signingKeys.length > 0,
  });
  return { ...call, method: "POST", signed: call.body };
}

// A 401 may only mean that the app still has the other key during a rotation: tried once more before it counts (SE-7).
async function sendSigned(
  { signed, ...request }: SignableCall,
  settings: Settings,
  send: (request: HttpExchange) => Promise<HttpOutcome>,
): Promise<HttpOutcome> {
  const unsigned: HttpExchange = {
    ...request,
    timeout: settings.callTimeout,
    silence: settings.callSilence,
    replyBytes: CALL.replyBytes,
    policy: appTargetPolicy(settings),
  };
  let outcome: HttpOutcome | null = null;
  for (const key of settings.signingKeys) {
    const signature = await signBody(key, signed, Date.now());
    outcome = await send({ ...unsigned, headers: { ...request.headers, "x-inngest-signature": signature } });
    if (!outcome.ok || outcome.reply.status !== 401) return outcome;
  }
  return outcome ?? send(unsigned);
}
