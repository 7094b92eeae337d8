/**
 * REST v1: the promised interface for reading and steering (spec/10). Owns nothing but the list of its nouns; each has a file in `v1/`.
 */
import { Hono } from "hono";
import type { Api } from "./api.ts";
import { apiKeys } from "./v1/api-keys.ts";
import { cancellations } from "./v1/cancellations.ts";
import { deletions } from "./v1/deletions.ts";
import { engineFigures } from "./v1/engine-figures.ts";
import { environments } from "./v1/environments.ts";
import { eventKeys } from "./v1/event-keys.ts";
import { eventTypeRoutes } from "./v1/event-types.ts";
import { events } from "./v1/events.ts";
import { functions } from "./v1/functions.ts";
import { insights } from "./v1/insights.ts";
import { invocations } from "./v1/invocations.ts";
import { lines } from "./v1/lines.ts";
import { metrics } from "./v1/metrics.ts";
import { modelFigures } from "./v1/model-figures.ts";
import { replays } from "./v1/replays.ts";
import { reruns } from "./v1/reruns.ts";
import { runs } from "./v1/runs.ts";
import { search } from "./v1/search.ts";
import { signingKeys } from "./v1/signing-keys.ts";
import { traces } from "./v1/traces.ts";
import { webhooks } from "./v1/webhooks.ts";
import { windows } from "./v1/windows.ts";

/** The routes below `/v1`. They authenticate one by one, because other surfaces below `/v1` have rules of their own. */
export const restV1 = new Hono<Api>()
  .route("/", apiKeys)
  .route("/", cancellations)
  .route("/", deletions)
  .route("/", environments)
  .route("/", eventKeys)
  .route("/", engineFigures)
  .route("/", eventTypeRoutes)
  .route("/", events)
  .route("/", functions)
  .route("/", insights)
  .route("/", invocations)
  .route("/", lines)
  .route("/", metrics)
  .route("/", modelFigures)
  .route("/", replays)
  .route("/", reruns)
  .route("/", runs)
  .route("/", search)
  .route("/", signingKeys)
  .route("/", traces)
  .route("/", webhooks)
  .route("/", windows);
