/**
 * Everything one scenario needs, bound to one SDK and to names of its own: an app id, event names and a ledger nobody else uses.
 * Guarantees that scenarios may share an engine, and that a scenario's servers are gone when it ends.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type App, type AppOptions, serveApp } from "./app.ts";
import type { RunJson, TestEngine, TestEvent } from "./engine.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import {
  type Client,
  type ClientOptions,
  type Data,
  type FunctionOptions,
  type Handler,
  SDKS,
  type Sdk,
  type SdkFunction,
  type SdkName,
  type Trigger,
} from "./sdk.ts";

/** An SDK step by step, with its other way of doing parallel steps (EX-32), or with checkpointing, which is v4's default (EX-66). */
export type Variant = "v3" | "v4" | "v3-optimised" | "v4-plain" | "v3-checkpointed" | "v4-checkpointed";

/** Which SDK a variant is, and what its client is told. */
const VARIANTS: Readonly<
  Record<Variant, { readonly sdk: SdkName } & Pick<ClientOptions, "optimizeParallelism" | "checkpointing">>
> = {
  v3: { sdk: "v3" },
  v4: { sdk: "v4" },
  "v3-optimised": { sdk: "v3", optimizeParallelism: true },
  "v4-plain": { sdk: "v4", optimizeParallelism: false },
  "v3-checkpointed": { sdk: "v3", checkpointing: true },
  "v4-checkpointed": { sdk: "v4", checkpointing: true },
};

/** Runs that take long on a busy machine are waited for this long, ms. */
const PATIENCE = 40_000;

/** What a scenario is given. Everything may be taken out of it by destructuring. */
export interface Scenario extends Ledger {
  readonly variant: Variant;
  readonly sdk: Sdk;
  readonly engine: TestEngine;
  /** The client's id; the app's. */
  readonly appId: string;
  readonly client: Client;
  /** Another client of the same SDK, `id` after the scenario's own; no `id` is the same app. */
  newClient(options?: Partial<ClientOptions>): Client;
  /** `x` becomes the full name of an event only this scenario uses. */
  on(name: string): string;
  /** The full slug of one of the scenario's functions. */
  slug(functionId: string): string;
  /** A function of the scenario's client. A string is the name of its only trigger. */
  fn<D = Data>(
    options: string | FunctionOptions<D>,
    trigger: string | Trigger | readonly Trigger[],
    handler: Handler<D>,
    client?: Client,
  ): SdkFunction;
  /** Serves functions of the scenario's client, or of another, until the scenario ends. */
  app(functions: readonly SdkFunction[], options?: AppOptions & { readonly client?: Client }): Promise<App>;
  /** Sends events with the SDK; answers their internal ids. */
  send(events: TestEvent | readonly TestEvent[]): Promise<string[]>;
  /** Sends one event with the SDK; answers its internal id. */
  trigger(name: string, data?: Data): Promise<string>;
  /** Waits until the event has `n` ended runs; answers all its runs. */
  ended(eventId: string, n?: number): Promise<RunJson[]>;
  /** Waits for the one run of an event to end; throws when there is another. */
  finished(eventId: string): Promise<RunJson>;
  /** The run of one of the scenario's functions among several. */
  runOf(runs: readonly RunJson[], functionId: string): RunJson;
  until: TestEngine["until"];
  api: TestEngine["api"];
  pause(ms: number): Promise<unknown>;
  /** This scenario with other keys of the same engine: equal names, a ledger of its own. It ends with this one. */
  within(engine: TestEngine): Scenario;
}

/** A scenario and how it ends. */
export interface OpenScenario {
  readonly scenario: Scenario;
  close(): Promise<void>;
}

/** Opens a scenario on an engine. In cloud mode its client has the engine's keys. */
export function openScenario(engine: TestEngine, caseId: string, variant: Variant): OpenScenario {
  const { sdk: name, ...way } = VARIANTS[variant];
  const sdk = SDKS[name];
  const appId = `${caseId.toLowerCase()}-${variant}`;
  const apps: App[] = [];
  const others: OpenScenario[] = [];
  const newClient: Scenario["newClient"] = (options = {}) =>
    sdk.client({
      engine: engine.url,
      mode: engine.bindings["MILLRACE_MODE"] === "cloud" ? "cloud" : "dev",
      ...keysOf(engine),
      ...way,
      ...options,
      id: options.id === undefined ? appId : `${appId}-${options.id}`,
    });
  const client = newClient();

  const ended: Scenario["ended"] = (eventId, n = 1) => engine.ended(eventId, n, PATIENCE);
  const scenario: Scenario = {
    ...createLedger(),
    variant,
    sdk,
    engine,
    appId,
    client,
    newClient,
    on: (event) => `${appId}/${event}`,
    slug: (functionId) => `${appId}-${functionId}`,
    fn: (options, trigger, handler, by = client) =>
      by.fn(typeof options === "string" ? { id: options } : options, triggersOf(trigger), handler),
    async app(functions, { client: by = client, ...options } = {}) {
      const app = await serveApp(by, functions, options);
      apps.push(app);
      return app;
    },
    send: (events) => client.send(events),
    async trigger(event, data = {}) {
      return only(await client.send({ name: event, data }), "event id");
    },
    ended,
    finished: async (eventId) => only(await ended(eventId), "run"),
    runOf: (runs, functionId) =>
      only(
        runs.filter((run) => run.function_slug === `${appId}-${functionId}`),
        `run of ${functionId}`,
      ),
    until: (ask, timeoutMs = PATIENCE) => engine.until(ask, timeoutMs),
    api: engine.api,
    pause: (ms) => sleep(ms),
    within(seen) {
      const other = openScenario(seen, caseId, variant);
      others.push(other);
      return other.scenario;
    },
  };
  return {
    scenario,
    async close() {
      for (const other of others) await other.close();
      for (const app of apps) await app.stop();
    },
  };
}

/** The client's share of the engine's keys. */
function keysOf({ bindings }: TestEngine): Partial<ClientOptions> {
  const { INNGEST_SIGNING_KEY: signingKey, INNGEST_EVENT_KEY: eventKey, INNGEST_ENV: env } = bindings;
  return {
    ...(signingKey === undefined ? {} : { signingKey }),
    ...(eventKey === undefined ? {} : { eventKey }),
    ...(env === undefined ? {} : { env }),
  };
}

function triggersOf(trigger: string | Trigger | readonly Trigger[]): readonly Trigger[] {
  if (typeof trigger === "string") return [{ event: trigger }];
  return isOne(trigger) ? [trigger] : trigger;
}

function isOne(trigger: Trigger | readonly Trigger[]): trigger is Trigger {
  return !Array.isArray(trigger);
}

function only<T>(list: readonly T[], what: string): T {
  const [first, ...others] = list;
  if (first === undefined || others.length > 0) throw new Error(`One ${what} was expected, not ${list.length}`);
  return first;
}
