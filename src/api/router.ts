/**
 * All routes of the engine on one origin (API-1). Owns what every reply has in common: server kind, request id, CORS, and the
 * form of errors (API-4). Guarantees that no error leaves without a code and that internal ones reveal nothing.
 */
import { Hono } from "hono";
import { cors } from "hono/cors";
import { ERRORS, MillraceError, messageOf } from "../errors.ts";
import { settingsOf } from "../settings.ts";
import type { Api } from "./api.ts";
import { apps } from "./apps.ts";
import { checkpoint } from "./checkpoint.ts";
import { counts } from "./counts.ts";
import { dev } from "./dev.ts";
import { endpoint } from "./endpoint.ts";
import { events } from "./events.ts";
import { home } from "./home.ts";
import { invoke } from "./invoke.ts";
import { metadata } from "./metadata.ts";
import { realtime } from "./realtime.ts";
import { register } from "./register.ts";
import { restV0 } from "./rest-v0.ts";
import { restV1 } from "./rest-v1.ts";
import { signals } from "./signals.ts";

/** The application. */
export const router = new Hono<Api>();

router.use(
  cors({
    origin: (origin) => origin || "*",
    allowMethods: ["GET", "POST", "PUT", "DELETE", "OPTIONS"],
    exposeHeaders: ["Link", "Mcp-Session-Id"],
    credentials: true,
    maxAge: 3600,
  }),
);

router.use(async (context, next) => {
  const settings = settingsOf(context.env);
  context.set("settings", settings);
  await next();
  context.header("x-inngest-server-kind", settings.mode);
  context.header("x-request-id", context.req.header("x-request-id") ?? crypto.randomUUID());
});

router.get("/health", (context) => context.json({ status: 200, message: "OK" }));

router.route("/", events);
router.route("/", invoke);
router.route("/", register);
router.route("/", dev);
router.route("/", counts);
router.route("/", checkpoint);
router.route("/", endpoint);
router.route("/", realtime);
router.route("/", home);
router.route("/", restV0);
router.route("/", restV1);
router.route("/", metadata);
router.route("/", signals);
router.route("/", apps);

router.notFound((context) => {
  return context.json({ status: 404, code: "not_found", error: `No route ${context.req.path}`, data: null }, 404);
});

router.onError((error, context) => {
  const known = error instanceof MillraceError ? error : null;
  if (known === null || known.status === 500)
    console.error(`${context.req.method} ${context.req.path}: ${messageOf(error)}`);
  const code = known?.code ?? "internal_error";
  const text = known?.message ?? "The engine failed; its log has the reason under this request id.";
  const status = ERRORS[code].status ?? 500;
  return context.json({ status, code, error: text, data: null }, status);
});
