/**
 * What a call of the app, or a request that the engine made for a step, was like (OB-7, OB-12). Pure types: a part of the facts in a run's log,
 * which decides nothing and is read by traces only. Holds no credential: whoever makes it masks them (OB-13).
 */
import type { Json } from "../../json.ts";

/** One exchange. Bytes are those of the bodies; what is not known is absent. */
export interface CallFacts {
  /** When it began, ms since 1970. */
  readonly began: number;
  /** HTTP status of the reply; absent when none came. */
  readonly status?: number;
  readonly sent?: number;
  readonly received?: number;
  /** What the engine asked for in a step's name; absent for calls of the app. */
  readonly request?: RequestRecord;
}

/** A request of `step.fetch` or `step.ai.infer`, credentials masked. */
export type RequestRecord =
  | {
      readonly via: "gateway";
      readonly method: string;
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
    }
  | {
      readonly via: "ai";
      readonly url: string;
      /** How the provider is spoken to. */
      readonly format: string;
      /** Null where neither request nor reply tells. */
      readonly model: string | null;
      readonly inputTokens: number | null;
      readonly outputTokens: number | null;
      /** The body as it was sent; absent when it is larger than traces keep (OB-11). */
      readonly prompt?: Json;
    };
