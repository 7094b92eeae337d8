import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { DescribedRoute } from "../../../../src/api/openapi/document.ts";
import { openApiDocument } from "../../../../src/api/openapi/document.ts";

const about = {
  title: "Test",
  version: "1.0.0",
  summary: "A test.",
  error: z.object({ code: z.string() }).meta({ id: "Error" }),
};

const thing = z.object({ id: z.string(), parent: z.string().nullable() }).meta({ id: "Thing" });

const tree = z
  .object({
    name: z.string(),
    get children(): z.ZodArray<z.ZodType> {
      return z.array(tree);
    },
  })
  .meta({ id: "Tree" });

const routes: readonly DescribedRoute[] = [
  {
    method: "GET",
    path: "/things/:id",
    description: {
      id: "getThing",
      summary: "One thing.",
      query: z.object({ id: z.string(), full: z.enum(["true", "false"]).default("false"), q: z.string() }),
      answers: { 200: z.object({ data: thing }), 202: "nothing" },
    },
  },
  {
    method: "POST",
    path: "/things/:id",
    description: {
      id: "changeThing",
      summary: "Changes a thing.",
      body: z.object({ when: z.string().transform(Number), size: z.number().default(3) }),
      answers: { 200: z.object({ tree }), 201: { media: "text/plain" } },
      open: true,
    },
  },
];

describe("API-24: the document", () => {
  const document = openApiDocument(about, routes);

  test("has parameters of path and query, and says which are needed", () => {
    expect(document).toMatchObject({
      openapi: "3.1.0",
      paths: {
        "/things/{id}": {
          get: {
            operationId: "getThing",
            parameters: [
              { name: "id", in: "path", required: true },
              { name: "full", in: "query", required: false, schema: { enum: ["true", "false"], default: "false" } },
              { name: "q", in: "query", required: true, schema: { type: "string" } },
            ],
          },
          post: {
            security: [],
            requestBody: {
              content: {
                "application/json": { schema: { required: ["when"], properties: { when: { type: "string" } } } },
              },
            },
          },
        },
      },
    });
  });

  test("names schemas once, and refers to them everywhere", () => {
    const text = JSON.stringify(document);
    expect(text).not.toContain("$defs");
    expect(text).not.toContain('"additionalProperties":false');
    expect(document).toMatchObject({
      components: { schemas: { Error: { type: "object" }, Thing: { type: "object" }, Tree: { type: "object" } } },
    });
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
      expect(Object.keys((document["components"] as { schemas: object }).schemas)).toContain(name);
    }
  });

  test("is JSON Schema that a validator takes, in every place", () => {
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema(document, "api");
    const answer = (path: string) =>
      ajv.getSchema(`api#/paths/~1things~1%7Bid%7D/${path}/content/application~1json/schema`);
    const [one, changed] = [answer("get/responses/200"), answer("post/responses/200")];
    expect(one?.({ data: { id: "1", parent: null } })).toBe(true);
    expect(one?.({ data: { id: "1" } })).toBe(false);
    expect(one?.({ data: { id: 1, parent: null } })).toBe(false);
    const leaf = { name: "leaf", children: [] };
    expect(changed?.({ tree: { name: "root", children: [leaf] } })).toBe(true);
    expect(changed?.({ tree: { name: "root", children: [{ name: 7, children: [] }] } })).toBe(false);
  });
});
