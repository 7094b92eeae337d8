/**
 * `POST /invoke/:slug` (TR-17, protocol/01 §1.8). Owns the route only.
 */
import { Hono } from "hono";
import { readBody } from "../events/body.ts";
import { invoke as invokeFunction } from "../events/invoke.ts";
import type { Api } from "./api.ts";
import { authenticate } from "./authentication.ts";

/** To be mounted at `/`. */
export const invoke = new Hono<Api>();

invoke.post("/invoke/:slug", authenticate, async (context) => {
  const settings = context.get("settings");
  const body = await readBody(context.req.raw, settings.maxRequestBytes);
  const { eventId: id } = await invokeFunction(
    context.env,
    context.get("environment").id,
    { slug: context.req.param("slug"), body, headers: context.req.raw.headers },
    { now: Date.now(), maxEventBytes: settings.maxEventBytes },
  );
  return context.json({ id, status: 200 });
});
