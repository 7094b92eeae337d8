/**
 * Limits of runs that begin in the app's own handler, and of the tokens they hand out. Each number with its unit and its reason.
 */
import { HOUR, KIB, MINUTE, SECOND } from "./units.ts";

/** Runs that begin in the app's own HTTP handler (EX-68 … EX-70). */
export const ENDPOINT = {
  /**
   * ms; how long the handler may be silent before the engine takes the run over: as long as a caller waits for its result.
   * Every checkpoint begins it anew. Shorter would enter a second time beside a long step that is still being executed.
   */
  lease: { default: 5 * MINUTE, min: 1 * SECOND, max: 14 * MINUTE },
  /** ms; how long the result URL keeps its caller waiting (EX-70). */
  wait: { default: 5 * MINUTE, min: 1 * SECOND, max: 14 * MINUTE },
  /** ms; how long the result waits for the status and headers that the SDK sends beside it (`protocol/endpoint-output.ts`). */
  grace: 1 * SECOND,
  /** ms; how long a caller that lost its run's object waits before it asks again. */
  pause: 250,
  /** Endpoints listed of one app: paths with ids in them are without number, and each would be a function of its own. */
  functions: 1000,
  /** Characters of an endpoint's own id, and of the type of its request's body. */
  textLength: 255,
  /** Characters of an endpoint's URL. */
  urlLength: 8 * KIB,
  /** Endpoints an isolate knows to be listed. */
  known: 10_000,
} as const;

/** Tokens the engine signs (SE-17). */
export const TOKEN = {
  /** ms; how long a result may be asked for (EX-70). */
  output: 1 * HOUR,
  /** ms; how long a realtime token may be used to connect. */
  realtime: 1 * MINUTE,
  /** ms; by how much the clocks of two machines of one deployment may differ. */
  skew: 5 * SECOND,
} as const;
