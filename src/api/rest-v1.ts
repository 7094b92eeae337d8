/**
 * REST v1: the promised interface for reading and steering (spec/10). Owns nothing but the list of its nouns; each has a file in `v1/`.
 */
import { Hono } from "hono";
import type { Api } from "./api.ts";
import { events } from "./v1/events.ts";
import { runs } from "./v1/runs.ts";

/** The routes below `/v1`. They authenticate one by one, because other surfaces below `/v1` have rules of their own. */
export const restV1 = new Hono<Api>().route("/", events).route("/", runs);
