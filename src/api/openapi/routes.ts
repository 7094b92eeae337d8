/**
 * The documents that describe the API (API-24): `/v1/openapi.json`, `/v2/openapi.json`. Owns the routes; a document is made of the mounted
 * routes when it is first asked for.
 */
import { Hono } from "hono";
import type { RouterRoute } from "hono/types";
import * as z from "zod";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { errorReply } from "../v1/reply.ts";
import { errorReply as errorReplyV2 } from "../v2/refusal.ts";
import { described, descriptionOf } from "./described.ts";
import { type About, type DescribedRoute, openApiDocument } from "./document.ts";

const V1: About = {
  title: "Millrace REST v1",
  version: "1.0.0",
  summary: "Reading and steering runs, events, functions and apps.",
  error: errorReply,
};

const V2: About = {
  title: "Millrace REST v2",
  version: "2.0.0",
  summary: "The same in the form of version 2; every call is also there under /api/v2.",
  error: errorReplyV2,
};

/** Every route below a prefix, once, with what it notes; those that note nothing are left out. */
function describedRoutes(routes: readonly RouterRoute[], prefix: string): DescribedRoute[] {
  return routes.flatMap(({ method, path, handler }) => {
    const description = path.startsWith(prefix) ? descriptionOf(handler) : null;
    // A route of every method is described by the one that most callers use.
    return description === null ? [] : [{ method: method === "ALL" ? "GET" : method, path, description }];
  });
}

/** The routes. `mounted` gives all routes of the engine. */
export function openApi(mounted: () => readonly RouterRoute[]): Hono<Api> {
  const routes = new Hono<Api>();
  for (const [path, prefix, about] of [
    ["/v1/openapi.json", "/v1/", V1],
    ["/v2/openapi.json", "/v2/", V2],
  ] as const) {
    let text: string | null = null;
    const note = { id: "getOpenApi", summary: "This document.", answers: { 200: z.looseObject({}) } };
    routes.get(path, described(note), authenticate, (context) => {
      text ??= JSON.stringify(openApiDocument(about, describedRoutes(mounted(), prefix)));
      return context.body(text, 200, { "content-type": "application/json" });
    });
  }
  return routes;
}
