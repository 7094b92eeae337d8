/**
 * A stateless place to make calls from. A run's object may hold few connections at once, so that a run with many parallel
 * steps makes them through this entrypoint, each in an invocation of its own (design: "Call").
 * Owns nothing: no storage, no retries, no knowledge of runs.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { Bindings } from "../bindings.ts";
import type { RequestOutcome } from "../decide/run/resolution.ts";
import type { EngineRequest } from "../protocol/gateway-request.ts";
import { performRequest, type RequestContext } from "./gateway.ts";
import { exchange, type HttpExchange, type HttpOutcome } from "./http.ts";

/** The entrypoint bound as `CALLER`. */
export class Caller extends WorkerEntrypoint<Bindings> {
  /** {@link exchange}, performed here. */
  call(request: HttpExchange): Promise<HttpOutcome> {
    return exchange(request);
  }

  /** {@link performRequest}, performed here. */
  perform(request: EngineRequest, context: RequestContext): Promise<RequestOutcome> {
    return performRequest(request, context);
  }
}
