/**
 * Another input for a step that the engine makes a request for (CR-27): the arguments of `step.fetch` and `step.ai.infer`, put over what the
 * function gave. Pure. What the function gave is never stored; an edited input is, because it is part of what somebody asked for.
 */
import { type Json, type JsonObject, objectOf } from "../json.ts";
import type { StepLabel } from "./opcodes.ts";

/** Why the input does not fit the step; null when it does. */
export function editFault({ type, takes }: StepLabel, input: readonly Json[]): string | null {
  if (takes === undefined) return "was given no arguments that could be changed";
  if (takes === "arguments") return null;
  const [first, second] = input;
  if (type === "step.ai.infer") {
    return isObject(first) ? null : "takes one argument: an object with what is to change of the request's body";
  }
  const fits = typeof first === "string" && (second === undefined || isObject(second));
  return fits
    ? null
    : "takes the arguments of fetch: a URL, and an object with what is to change of method, headers and body";
}

/** The options of a request with another input. Of `step.ai.infer` fields of the body are replaced, as SDKs do it; of `step.fetch` the URL. */
export function editedOptions(via: "gateway" | "ai", given: Json, input: readonly Json[]): JsonObject {
  const options = objectOf(given);
  const [first, second] = input;
  switch (via) {
    case "ai":
      return { ...options, body: { ...objectOf(options["body"]), ...objectOf(first) } };
    case "gateway": {
      const init = objectOf(second);
      const headers = { ...objectOf(options["headers"]), ...objectOf(init["headers"]) };
      return { ...options, ...init, headers, ...(typeof first === "string" ? { url: first } : {}) };
    }
  }
}

function isObject(value: Json | undefined): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
