/**
 * A run's call of its app, from job to reply: where the app is now, signing, sending, and reading the answer.
 * Owns the order of these; guarantees a `CallReply` for every outcome, so that the run always learns how its attempt ended.
 */
import { catalogOf } from "../apps/catalog.ts";
import type { Bindings } from "../bindings.ts";
import type { Job, RunState } from "../decide/run/state.ts";
import { messageOf } from "../errors.ts";
import { CALL } from "../limits.ts";
import { type CallReply, failedAttempt, parseReply } from "../protocol/call-reply.ts";
import { buildCall, type CallRequest } from "../protocol/call-request.ts";
import { signBody } from "../protocol/signature.ts";
import { type Settings, settingsOf } from "../settings.ts";
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
  const settings = settingsOf(bindings);
  const { identity } = state;
  // The code is always the newest deployed one, wherever the app lives by now (EX-62, AP-12).
  const catalog = await catalogOf(bindings, identity.environmentId, Date.now());
  const registered = catalog.functionById(identity.function.id);
  const app = catalog.app(identity.app.id);
  if (registered === null || app === null) {
    return failedAttempt("app_unreachable", `The app "${identity.app.name}" is no longer registered.`);
  }
  const request = buildCall(state, job, {
    url: registered.configuration.url,
    requestId: crypto.randomUUID(),
    serverKind: settings.mode,
    maxSteps: settings.maxSteps,
    canFetchState: !app.sdk.startsWith("go:"),
    canonical: settings.signingKeys.length > 0,
  });
  const send = (exchanged: HttpExchange) => (crowded ? bindings.CALLER.call(exchanged) : exchange(exchanged));
  const outcome = await sendSigned(request, settings, send);
  const now = Date.now();
  return outcome.ok ? parseReply(outcome.reply, now) : failedAttempt(outcome.code, outcome.message);
}

// A 401 may only mean that the app still has the other key during a rotation: tried once more before it counts (SE-7).
async function sendSigned(
  request: CallRequest,
  settings: Settings,
  send: (request: HttpExchange) => Promise<HttpOutcome>,
): Promise<HttpOutcome> {
  const unsigned: HttpExchange = {
    ...request,
    method: "POST",
    timeout: settings.callTimeout,
    replyBytes: CALL.replyBytes,
    policy: appTargetPolicy(settings),
  };
  let outcome: HttpOutcome | null = null;
  for (const key of settings.signingKeys) {
    const signature = await signBody(key, request.body, Date.now());
    outcome = await send({ ...unsigned, headers: { ...request.headers, "x-inngest-signature": signature } });
    if (!outcome.ok || outcome.reply.status !== 401) return outcome;
  }
  return outcome ?? send(unsigned);
}
