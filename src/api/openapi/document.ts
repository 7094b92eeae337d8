/**
 * The OpenAPI 3.1 document of a version of the API (API-24), made of what its routes note about themselves. Owns the document's form.
 */
import type * as z from "zod";
import type { JsonObject } from "../../json.ts";
import { Components, type Schema } from "./components.ts";
import type { Answer, Description } from "./described.ts";

/** A route and what it notes. `path` as the router writes it: `/v1/runs/:id`. */
export interface DescribedRoute {
  readonly method: string;
  readonly path: string;
  readonly description: Description;
}

/** What the whole document says. */
export interface About {
  readonly title: string;
  readonly version: string;
  readonly summary: string;
  /** The form of every error. */
  readonly error: z.ZodType;
}

/** The document. */
export function openApiDocument(about: About, routes: readonly DescribedRoute[]): JsonObject {
  const components = new Components();
  const error = components.schemaOf(about.error, "output");
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    const entry = paths[path] ?? {};
    entry[route.method.toLowerCase()] = operationOf(route, components, error);
    paths[path] = entry;
  }
  return {
    openapi: "3.1.0",
    info: { title: about.title, version: about.version, summary: about.summary },
    jsonSchemaDialect: "https://json-schema.org/draft/2020-12/schema",
    servers: [{ url: "/" }],
    security: [{ key: [] }],
    paths,
    components: {
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "The signing key of the environment, plain or hashed." },
      },
      schemas: components.named,
    },
  };
}

function operationOf({ path, description }: DescribedRoute, components: Components, error: Schema): JsonObject {
  const { id, summary, query, body, answers, open } = description;
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
  const fields = query === undefined ? {} : components.schemaOf(query, "input");
  return {
    operationId: id,
    summary,
    ...(open === true ? { security: [] } : {}),
    parameters: [
      ...inPath.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
      ...inQuery(fields).filter(({ name }) => !inPath.includes(name)),
    ],
    ...(body === undefined ? {} : { requestBody: { content: json(components.schemaOf(body, "input")) } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, answerOf(Number(status), answer, components)]),
      ),
      default: { description: "An error.", content: json(error) },
    },
  };
}

function inQuery({ properties, required }: Schema) {
  const needed = Array.isArray(required) ? required : [];
  return Object.entries(properties ?? {}).map(([name, schema]) => {
    return { name, in: "query", required: needed.includes(name), schema };
  });
}

const MEANING: Readonly<Record<number, string>> = { 101: "A WebSocket.", 201: "Created.", 202: "Not done yet." };

function answerOf(status: number, answer: Answer, components: Components): JsonObject {
  const description = MEANING[status] ?? "Done.";
  if (answer === "nothing") return { description };
  if ("media" in answer) return { description, content: { [answer.media]: {} } };
  return { description, content: json(components.schemaOf(answer, "output")) };
}

function json(schema: Schema): JsonObject {
  return { "application/json": { schema } };
}
