/**
 * Every call of v2 as a tool (protocol/12 §12.7), made of what v2 says of itself. Owns nothing of what they do.
 */
import type { Json, JsonObject } from "../../json.ts";
import { OPERATIONS } from "../v2/operations.ts";
import { argumentsOf, toolNameOf } from "../v2/tool.ts";
import type { Tool } from "./tool.ts";

/** The tools. */
export const operationTools: readonly Tool[] = OPERATIONS.map((operation) => ({
  name: toolNameOf(operation),
  description: operation.summary,
  inputSchema: () => argumentsOf(operation),
  run: async (call, input): Promise<JsonObject> => {
    const given = typeof input === "object" && input !== null ? { ...input } : {};
    const { data, page } = await operation.answer(call, { parameters: given, body: given });
    // Replies are JSON: their schemas say so.
    return { data: data as Json, ...(page === undefined ? {} : { page: { ...page } }) };
  },
}));
