/**
 * Metrics for Prometheus: `GET /v1/prom/{env}` (API-28, API-29), and `GET /metrics` in dev mode (protocol/12 §12.6). Owns the two routes.
 */
import { type Context, Hono } from "hono";
import { MillraceError } from "../errors.ts";
import { PROMETHEUS_TYPE } from "../metrics/prometheus.ts";
import { scrape } from "../metrics/scrape.ts";
import type { Api } from "./api.ts";
import { authenticate } from "./authentication.ts";
import { database } from "./database.ts";
import { described } from "./openapi/described.ts";
import { scrapeRate } from "./request-rate.ts";

/** The routes. */
export const prometheus = new Hono<Api>();

prometheus.get(
  "/v1/prom/:env",
  described({
    id: "getPrometheusMetrics",
    summary: "Metrics of an environment for Prometheus.",
    answers: { 200: { media: "text/plain" } },
  }),
  scrapeRate,
  authenticate,
  database,
  async (context) => {
    const { id, name } = context.get("environment");
    const wanted = context.req.param("env");
    // In dev mode there is one environment, whatever a scrape configuration made for another one calls it.
    if (context.get("settings").mode === "cloud" && wanted !== id && wanted !== name) {
      throw new MillraceError("not_found", `The key is of the environment "${name}", not of "${wanted}".`);
    }
    return await text(context);
  },
);

prometheus.get("/metrics", scrapeRate, authenticate, database, async (context) => {
  if (context.get("settings").mode !== "dev") throw new MillraceError("not_found", "No route /metrics");
  return await text(context);
});

async function text(context: Context<Api>): Promise<Response> {
  const body = await scrape(context.env.DB, context.get("environment").id, Date.now());
  return context.body(body, 200, { "content-type": PROMETHEUS_TYPE });
}
