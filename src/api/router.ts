/**
 * All routes of the engine on one origin (API-1). Owns what every reply has in common: server kind and request id (API-4).
 */
import { Hono } from "hono";
import { settingsOf } from "../settings.ts";
import type { Api } from "./api.ts";
import { apps } from "./apps.ts";
import { pathBelowBase } from "./base-path.ts";
import { checkpoint } from "./checkpoint.ts";
import { counts } from "./counts.ts";
import { crossOrigin } from "./cross-origin.ts";
import { dev } from "./dev.ts";
import { endpoint } from "./endpoint.ts";
import { events } from "./events.ts";
import { graphql } from "./graphql.ts";
import { health } from "./health.ts";
import { home } from "./home.ts";
import { invoke } from "./invoke.ts";
import { mcp } from "./mcp.ts";
import { metadata } from "./metadata.ts";
import { openApi } from "./openapi/routes.ts";
import { prometheus } from "./prometheus.ts";
import { realtime } from "./realtime.ts";
import { notFound, onError } from "./refusal.ts";
import { register } from "./register.ts";
import { requestRate } from "./request-rate.ts";
import { restV0 } from "./rest-v0.ts";
import { restV1 } from "./rest-v1.ts";
import { signals } from "./signals.ts";
import { testHooks } from "./test-hooks.ts";
import { userland } from "./userland.ts";
import { v2 } from "./v2/routes.ts";

/** The application. */
export const router = new Hono<Api>({ getPath: pathBelowBase });

/** What callers may name a request: it is repeated in the reply and in the log. */
const REQUEST_ID = /^[\w.:+/=-]{1,256}$/;

router.use(async (context, next) => {
  const given = context.req.header("x-request-id") ?? "";
  const requestId = REQUEST_ID.test(given) ? given : crypto.randomUUID();
  context.set("requestId", requestId);
  context.header("x-request-id", requestId);
  const settings = settingsOf(context.env);
  context.set("settings", settings);
  await next();
  context.header("x-inngest-server-kind", settings.mode);
  context.header("x-content-type-options", "nosniff");
  context.header("x-request-id", requestId);
});

router.use(crossOrigin);

for (const path of ["/v1/*", "/v2/*", "/api/v2/*", "/v0/gql"]) router.use(path, requestRate);

router.route("/", health);
router.route("/", events);
router.route("/", invoke);
router.route("/", register);
router.route("/", dev);
router.route("/", counts);
router.route("/", checkpoint);
router.route("/", endpoint);
router.route("/", realtime);
router.route("/", home);
router.route("/", graphql);
router.route("/", restV0);
router.route("/", restV1);
router.route("/", prometheus);
router.route("/", metadata);
router.route("/", signals);
router.route("/", userland);
router.route("/", apps);
router.route("/", testHooks);
router.route("/", v2);
router.route("/", mcp);
router.route(
  "/",
  openApi(() => router.routes),
);

router.notFound(notFound);
router.onError(onError);
