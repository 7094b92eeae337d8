/**
 * A tool for AI assistants (API-30): its name, what it takes, what it does. Owns how a call becomes an answer: arguments are parsed, errors
 * become answers that say what was wrong, because the assistant, not a person, has to make the next try.
 */
import * as z from "zod";
import { MillraceError, messageOf } from "../../errors.ts";
import type { JsonObject } from "../../json.ts";
import { understood } from "../understood.ts";
import type { Call } from "../v2/operation.ts";

/** A tool as the list shows it and a call uses it. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of an object, made when somebody lists the tools: most isolates are never asked. */
  inputSchema(): JsonObject;
  /** Throws `MillraceError`. */
  run(call: Call, input: unknown): Promise<JsonObject>;
}

/** What a call answers: JSON as text, and as it is. */
export interface ToolAnswer {
  readonly content: { readonly type: "text"; readonly text: string }[];
  readonly structuredContent?: JsonObject;
  readonly isError?: true;
  readonly [other: string]: unknown;
}

/** Makes a tool. */
export function tool<Input>(spec: {
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodType<Input>;
  run(call: Call, input: Input): Promise<JsonObject> | JsonObject;
}): Tool {
  const { name, description, input, run } = spec;
  return {
    name,
    description,
    // Plain data by construction.
    inputSchema: () => JSON.parse(JSON.stringify(z.toJSONSchema(input, { io: "input", unrepresentable: "any" }))),
    run: async (call, given) => {
      return await run(call, understood(input, given, "The arguments are"));
    },
  };
}

/** Runs a tool. Never throws. */
export async function answerOf({ name, run }: Tool, call: Call, input: unknown): Promise<ToolAnswer> {
  try {
    const result = await run(call, input);
    return { content: [{ type: "text", text: JSON.stringify(result, null, 2) }], structuredContent: result };
  } catch (error) {
    const known = error instanceof MillraceError;
    if (!known) console.error(`The tool ${name} failed: ${messageOf(error)}`);
    const text = known
      ? `${error.code}: ${error.message}`
      : "internal_error: The engine failed; its log has the reason.";
    return { content: [{ type: "text", text }], isError: true };
  }
}
