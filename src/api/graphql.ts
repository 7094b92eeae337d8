/**
 * `POST /v0/gql` (API-23, protocol/12 §12.5). Owns the route and the form of its request. What can be answered is answered with 200, errors
 * included, as clients of GraphQL expect; only a request that is none gets a status of its own.
 */
import { Hono } from "hono";
import * as z from "zod";
import { GRAPHQL } from "../limits.ts";
import type { Api } from "./api.ts";
import { authenticate } from "./authentication.ts";
import { database } from "./database.ts";
import { GraphqlContext } from "./graphql/context.ts";
import { answer } from "./graphql/execute.ts";
import { withPages } from "./pages.ts";
import { parseBody } from "./v1/body.ts";

const request = z.object({
  query: z.string("must be the text of a GraphQL document"),
  variables: z.record(z.string(), z.unknown(), "must be an object").nullable().default(null),
  operationName: z.string("must be text").nullable().default(null),
});

/** To be mounted at `/`. */
export const graphql = new Hono<Api>();

graphql.post("/v0/gql", withPages, authenticate, database, async (context) => {
  const asked = await parseBody(context, request, GRAPHQL.requestBytes);
  const reading = new GraphqlContext({
    bindings: context.env,
    environment: context.get("environment"),
    settings: context.get("settings"),
    headers: context.req.raw.headers,
    mayWrite: context.get("caller").scope !== "read",
  });
  return context.json(await answer(asked, reading));
});
