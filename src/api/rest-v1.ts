/**
 * REST v1: the promised interface for reading and steering (spec/10). Owns nothing but the list of its nouns; each has a file in `v1/`.
 */
import { Hono } from "hono";
import type { Api } from "./api.ts";
import { cancellations } from "./v1/cancellations.ts";
import { eventTypeRoutes } from "./v1/event-types.ts";
import { events } from "./v1/events.ts";
import { functions } from "./v1/functions.ts";
import { insights } from "./v1/insights.ts";
import { invocations } from "./v1/invocations.ts";
import { lines } from "./v1/lines.ts";
import { metrics } from "./v1/metrics.ts";
import { replays } from "./v1/replays.ts";
import { reruns } from "./v1/reruns.ts";
import { runs } from "./v1/runs.ts";
import { search } from "./v1/search.ts";
import { traces } from "./v1/traces.ts";
import { windows } from "./v1/windows.ts";

/** The routes below `/v1`. They authenticate one by one, because other surfaces below `/v1` have rules of their own. */
export const restV1 = new Hono<Api>()
  .route("/", cancellations)
  .route("/", eventTypeRoutes)
  .route("/", events)
  .route("/", functions)
  .route("/", insights)
  .route("/", invocations)
  .route("/", lines)
  .route("/", metrics)
  .route("/", replays)
  .route("/", reruns)
  .route("/", runs)
  .route("/", search)
  .route("/", traces)
  .route("/", windows);
