/**
 * All functions of one row's values, by name in lower case. Owns the list: what is not on it does not exist.
 */
import type { ScalarFunction } from "./functions/function.ts";
import { JSON_FUNCTIONS } from "./functions/json.ts";
import { LOGIC_FUNCTIONS } from "./functions/logic.ts";
import { TEXT_FUNCTIONS } from "./functions/text.ts";
import { TIME_FUNCTIONS } from "./functions/time.ts";

/** The functions. `match` is not among them: the database has no regular expressions (`matching.ts`). */
export const FUNCTIONS: ReadonlyMap<string, ScalarFunction> = new Map(
  Object.entries({ ...JSON_FUNCTIONS, ...TEXT_FUNCTIONS, ...TIME_FUNCTIONS, ...LOGIC_FUNCTIONS }),
);
