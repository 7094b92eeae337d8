/**
 * What resolvers are given: who asks, and everything that was read for this one request. Owns how many runs a request may read, however its
 * lists are nested, and that none is read twice.
 */
import type { Bindings } from "../../bindings.ts";
import type { EnvironmentRef } from "../../environments/environment.ts";
import { MillraceError } from "../../errors.ts";
import { readRun } from "../../history/read.ts";
import type { RunView } from "../../history/view.ts";
import { GRAPHQL } from "../../limits.ts";
import { traceOf } from "../../runs/trace.ts";
import type { Settings } from "../../settings.ts";
import type { Trace } from "../../traces/span.ts";

/** Who asks. */
type Asking = Pick<GraphqlContext, "bindings" | "environment" | "settings" | "headers" | "mayWrite">;

/** Reads on behalf of one GraphQL request. */
export class GraphqlContext {
  readonly bindings: Bindings;
  readonly environment: EnvironmentRef;
  readonly settings: Settings;
  readonly headers: Headers;
  /** Whether the key may change something. */
  readonly mayWrite: boolean;
  readonly #views = new Map<string, Promise<RunView | null>>();
  readonly #traces = new Map<string, Promise<Trace | null>>();
  #reads = 0;

  constructor({ bindings, environment, settings, headers, mayWrite }: Asking) {
    this.bindings = bindings;
    this.environment = environment;
    this.settings = settings;
    this.headers = headers;
    this.mayWrite = mayWrite;
  }

  /** The run as it is now; null when there is none. */
  run(runId: string): Promise<RunView | null> {
    return this.#once(this.#views, runId, () => readRun(this.bindings, this.environment.id, runId));
  }

  /** Its trace, without outputs: those are asked for by id. */
  trace(runId: string): Promise<Trace | null> {
    return this.#once(this.#traces, runId, () =>
      traceOf(this.bindings, this.environment.id, runId, { outputs: false }),
    );
  }

  #once<T>(known: Map<string, Promise<T>>, runId: string, read: () => Promise<T>): Promise<T> {
    const before = known.get(runId);
    if (before !== undefined) return before;
    if (++this.#reads > GRAPHQL.runs) {
      throw new MillraceError("invalid_request", `The query reads more than ${GRAPHQL.runs} runs; ask for fewer.`);
    }
    const reading = read();
    known.set(runId, reading);
    return reading;
  }
}

/** A resolver of the outermost level. GraphQL has coerced the arguments to what the schema says, which is what each resolver declares. */
type Resolver<Arguments> = (given: Arguments, context: GraphqlContext) => unknown;

/** One noun of the schema: its types, and the fields it adds to the two roots. */
export interface Noun {
  readonly sdl: string;
  readonly resolvers: Readonly<Record<string, Resolver<never>>>;
}
