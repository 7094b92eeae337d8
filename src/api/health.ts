/**
 * `GET /health` (API-27): whether the engine can read and write its storage. Open to everybody, and tells nothing else (SE-21).
 */
import { Hono } from "hono";
import { environmentOf } from "../environments/environment.ts";
import { failingStorage } from "../health.ts";
import type { Api } from "./api.ts";

/** The route. */
export const health = new Hono<Api>();

health.get("/health", async (context) => {
  const failing = await failingStorage(context.env, environmentOf(context.get("settings")).id, Date.now());
  if (failing.length === 0) return context.json({ status: 200, message: "OK" });
  return context.json({ status: 503, message: `Storage fails: ${failing.join(", ")}`, failing }, 503);
});
