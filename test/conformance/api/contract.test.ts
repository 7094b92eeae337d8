/**
 * The API as its documents describe it: each version on an engine of its own, so that lists hold what their case made.
 */
import { describe, expect, test } from "vitest";
import { conformance } from "../harness/cases.ts";
import type { TestEngine } from "../harness/engine.ts";
import { contractClient } from "./contract.ts";
import { v1 } from "./v1.ts";
import { v2 } from "./v2.ts";

describe("a reply that is not as described", () => {
  const thing = { type: "object", properties: { id: { type: "string" }, at: { type: "string", format: "date-time" } } };
  const schema = { ...thing, required: ["id", "at"] };
  const responses = { 200: { content: { "application/json": { schema } } }, 204: {} };
  const get = { operationId: "getThing", parameters: [], responses };
  const document = { openapi: "3.1.0", paths: { "/thing": { get } } };

  const answering = async (status: number, text: string) => {
    const api: TestEngine["api"] = async (_method, path) => {
      const body = path === "/openapi.json" ? JSON.stringify(document) : text;
      const json = body === "" ? undefined : JSON.parse(body);
      return { status: path === "/openapi.json" ? 200 : status, text: body, json, headers: new Headers() };
    };
    const { call } = await contractClient({ api }, "/openapi.json");
    return await call("getThing", {}, status);
  };

  const at = "2026-11-21T02:00:00.000Z";

  test("is found out, and one that is as described passes", async () => {
    await expect(answering(200, JSON.stringify({ id: "1", at }))).resolves.toEqual({ id: "1", at });
    await expect(answering(200, JSON.stringify({ id: 1, at }))).rejects.toThrow("/id must be string");
    await expect(answering(200, JSON.stringify({ id: "1" }))).rejects.toThrow("at");
    await expect(answering(200, JSON.stringify({ id: "1", at: "yesterday" }))).rejects.toThrow("/at must match format");
    await expect(answering(200, JSON.stringify({ id: "1", at, more: 1 }))).rejects.toThrow("more");
    await expect(answering(204, "")).resolves.toBeUndefined();
    await expect(answering(204, "{}")).rejects.toThrow("not described");
    await expect(answering(500, "{}")).rejects.toThrow();
  });
});

conformance("API v1", v1);
conformance("API v2", v2);
