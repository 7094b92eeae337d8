/**
 * Where expressions are used (XP-1) and what each place allows: variables, wanted result, refused parts. The one table of these rules.
 */

/** The uses of XP-1. Searches and mass actions differ in whether there is an output to look at. */
export type Place =
  | "trigger"
  | "batch"
  | "wait"
  | "cancel"
  | "bulk_cancel"
  | "replay"
  | "key"
  | "priority"
  | "event_search"
  | "run_search";

/** The variables an expression can read. `vars` is declared for the sake of existing apps and always empty (protocol 7.1). */
type Variable = "event" | "async" | "output" | "vars";

/** What a place allows. */
export interface PlaceRules {
  readonly variables: readonly Variable[];
  /**
   * `condition`: true or false, where `&&` and `||` give booleans (XP-13). `exactly_true`: as batching wants it, where they give an operand
   * and only `true` itself counts (XP-16). `key` and `number`: a value.
   */
  readonly wants: "condition" | "exactly_true" | "key" | "number";
  /** Only comparison, logic, access, literals and cheap functions, because every event is held against every run (XP-8). */
  readonly restricted: boolean;
  /** False where results must not depend on the time (XP-18). */
  readonly clock: boolean;
}

const condition = { variables: ["event", "vars"], wants: "condition", restricted: false, clock: true } as const;

/** The rules of each place. A trigger may name `async`, which is then never there (XP-3). */
export const PLACES: Readonly<Record<Place, PlaceRules>> = {
  trigger: { ...condition, variables: ["event", "async", "vars"] },
  batch: { ...condition, wants: "exactly_true" },
  wait: { ...condition, variables: ["event", "async", "vars"] },
  cancel: { ...condition, variables: ["event", "async", "vars"], restricted: true },
  bulk_cancel: condition,
  replay: { ...condition, variables: ["event", "output", "vars"] },
  key: { ...condition, wants: "key", clock: false },
  priority: { ...condition, wants: "number" },
  event_search: condition,
  run_search: { ...condition, variables: ["event", "output", "vars"] },
};
