/**
 * A call of v2 as a tool of MCP (protocol/12 §12.7): its name, and what it takes as one JSON Schema. Pure.
 */
import * as z from "zod";
import type { Json, JsonObject } from "../../json.ts";
import type { Operation } from "./operation.ts";

/** `listRuns` is `list_runs`. */
export function toolNameOf({ id }: Pick<Operation, "id">): string {
  return id.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The arguments of path, query and body in one object. */
export function argumentsOf({ parameters, body }: Pick<Operation, "parameters" | "body">): Record<string, Json> {
  const taken = z.object({ ...body?.shape, ...parameters.shape });
  // Plain data by construction.
  const { $schema: _dialect, ...schema } = JSON.parse(
    JSON.stringify(z.toJSONSchema(taken, { io: "input", unrepresentable: "any" })),
  ) as JsonObject;
  return schema;
}
