/**
 * A registered function as the engine works with it: normalised, whatever SDK described it (AP-19).
 * Owns the types; validation and storage are its neighbours'. Durations are ms.
 */

/** What starts runs of a function. An event name may end in `*` (TR-5). */
export type Trigger =
  | { readonly kind: "event"; readonly event: string; readonly expression: string | null }
  | { readonly kind: "cron"; readonly cron: string; readonly jitter: number | null };

/** One concurrency limit; `limit` 0 means none (FC-3). */
export interface ConcurrencyLimit {
  readonly limit: number;
  readonly key: string | null;
  readonly scope: "fn" | "env" | "account";
}

/** A function's options, defaults filled in; null where an option is absent. */
export interface FunctionConfiguration {
  readonly triggers: readonly Trigger[];
  /** Where calls go; `fnId` and `stepId` are set per call. */
  readonly url: string;
  readonly retries: number;
  readonly concurrency: readonly ConcurrencyLimit[];
  /** Limits on whole runs (FC-13). */
  readonly runConcurrency: readonly ConcurrencyLimit[];
  readonly throttle: { limit: number; period: number; burst: number; key: string | null } | null;
  readonly rateLimit: { limit: number; period: number; key: string | null } | null;
  readonly idempotency: string | null;
  readonly debounce: { period: number; timeout: number | null; key: string | null } | null;
  readonly batchEvents: { maxSize: number; timeout: number; key: string | null; condition: string | null } | null;
  readonly singleton: { mode: "skip" | "cancel"; key: string | null } | null;
  readonly priority: string | null;
  readonly timeouts: { start: number | null; finish: number | null } | null;
  /** `timeout` is a duration in ms as digits (`86400000`) or an ISO date in UTC; null: as long as the run lives. */
  readonly cancel: readonly { event: string; condition: string | null; timeout: string | null }[];
}

/** What becomes of runs in progress when their function is paused: held until it is resumed (CR-15), or cancelled (CR-16). */
export type PausedRuns = "hold" | "cancel";

/** A pause that is in effect: the function starts nothing and calls nothing (CR-14). */
export interface Pause {
  /** When it began, ms since 1970; no two pauses of a function began at the same time. */
  readonly since: number;
  readonly running: PausedRuns;
}

/** A pause that is over; `until` in ms since 1970. */
export interface EndedPause extends Pause {
  readonly until: number;
}

/** A function of the catalog. */
export interface RegisteredFunction {
  /** UUID. */
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  /** Starts at 1, rises with every changed registration (AP-6). */
  readonly version: number;
  readonly app: { readonly id: string; readonly name: string };
  readonly configuration: FunctionConfiguration;
  /** Archived functions start nothing, but their runs go on (AP-7). */
  readonly archived: boolean;
  /** Null while it is not paused. Syncs do not change it. */
  readonly paused: Pause | null;
  /** Its newest pause, once that is over; null before, and while another is in effect. */
  readonly resumed: EndedPause | null;
}
