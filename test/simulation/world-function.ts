/**
 * A function of a world: what its app does, and how an SDK registers it (protocol/02). Owns the form of the registration.
 */
import type { Json, JsonObject } from "../../src/json.ts";
import type { Part } from "./program.ts";

/** A function of the world's one app. */
export interface WorldFunction {
  readonly id: string;
  /** What triggers it, beside being invoked. */
  readonly event?: string;
  readonly crons?: readonly string[];
  readonly parts: readonly Part[];
  readonly options: JsonObject;
  /** It reports steps while it goes on (EX-66). */
  readonly checkpoints?: boolean;
  /** Attempts after the first one. */
  readonly retries?: number;
}

const URL = "http://127.0.0.1:3000/api/inngest";

/** The body of a sync with these functions. */
export function registrationOf(functions: readonly WorldFunction[]): Json {
  return {
    url: URL,
    appName: "sim",
    sdk: "sim:v1",
    framework: "none",
    v: "0.1",
    deployType: "ping",
    functions: functions.map(({ id, event, crons = [], options, retries }) => {
      const runtime = { type: "http", url: `${URL}?fnId=sim-${id}&stepId=step` };
      const step = {
        id: "step",
        name: "step",
        runtime,
        ...(retries === undefined ? {} : { retries: { attempts: retries } }),
      };
      const triggers = [...(event === undefined ? [] : [{ event }]), ...crons.map((cron) => ({ cron }))];
      return { id: `sim-${id}`, name: id, triggers, steps: { step }, ...options };
    }),
  };
}
