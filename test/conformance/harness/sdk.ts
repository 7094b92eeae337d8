/**
 * The official SDKs behind one narrow interface, so that a scenario is written once and runs with v3 and v4.
 * Owns where the two differ: trigger position, where keys go, how streaming is switched on. Both run step by step unless a client is told to
 * checkpoint, which v4 would do by itself.
 */
import "./one-process.ts";
import type { RequestListener } from "node:http";
import * as v4 from "inngest";
import { serve as serveV4 } from "inngest/node";
import * as v3 from "inngest-v3";
import { serve as serveV3 } from "inngest-v3/node";
import type { TestEvent } from "./engine.ts";

/** Payload of an event, unless a scenario names a narrower type. */
export type Data = Readonly<Record<string, unknown>>;

/** An event as a handler sees it. */
export interface ReceivedEvent<D> {
  readonly id: string;
  readonly name: string;
  readonly data: D;
  readonly ts: number;
  readonly user?: unknown;
}

/** A step's id, or its id and the name shown for it. */
export type StepId = string | { readonly id: string; readonly name: string };

/** How long a step may take: ms, a duration, or the moment when it has taken too long. */
export type Timeout = number | string | Date;

/** The step tools both SDKs share. What only one of them has, a scenario reaches through {@link Client.native}. */
export interface Steps {
  run<T, A extends readonly unknown[]>(id: StepId, body: (...input: A) => T | Promise<T>, ...input: A): Promise<T>;
  sleep(id: StepId, length: string | number): Promise<void>;
  sleepUntil(id: StepId, moment: string | Date): Promise<void>;
  waitForEvent<D = Data>(
    id: StepId,
    wait: { readonly event: string; readonly timeout: Timeout; readonly match?: string; readonly if?: string },
  ): Promise<ReceivedEvent<D> | null>;
  waitForSignal<D = Data>(
    id: StepId,
    wait: { readonly signal: string; readonly timeout: Timeout; readonly onConflict: "fail" | "replace" },
  ): Promise<{ readonly signal: string; readonly data: D } | null>;
  sendSignal(id: StepId, signal: { readonly signal: string; readonly data?: unknown }): Promise<unknown>;
  sendEvent(id: StepId, events: TestEvent | readonly TestEvent[]): Promise<{ readonly ids: readonly string[] }>;
  /** `function` is a {@link SdkFunction.native}, what {@link Sdk.referenceFunction} answers, or, with v3 only, a full slug. */
  invoke<R = unknown>(id: StepId, invocation: Invocation): Promise<R>;
  fetch(url: string, init?: RequestInit): Promise<Response>;
  readonly ai: AiSteps;
}

/** What is invoked, and with what. */
export interface Invocation {
  readonly function: object | string;
  readonly data?: Data;
  readonly user?: Data;
  readonly timeout?: Timeout;
}

/** The AI tools; models are opaque, and replies are what the provider says. */
export interface AiSteps {
  infer<R>(id: StepId, inference: { readonly model: object; readonly body: Data }): Promise<R>;
  wrap<T, A extends readonly unknown[]>(id: StepId, body: (...input: A) => T | Promise<T>, ...input: A): Promise<T>;
  readonly models: Readonly<Record<"openai" | "anthropic" | "gemini" | "deepseek" | "grok", (options: Data) => object>>;
}

/** What a handler is called with. */
export interface HandlerContext<D> {
  readonly event: ReceivedEvent<D>;
  readonly events: readonly ReceivedEvent<D>[];
  readonly step: Steps;
  readonly attempt: number;
  readonly runId: string;
  readonly logger: { info(text: string): void; error(text: string): void };
}

/** Data of `inngest/function.failed`, as far as scenarios look. */
export interface FailureData<D> {
  readonly function_id: string;
  readonly run_id: string;
  readonly error: { readonly name: string; readonly message: string; readonly stack?: string; readonly error?: string };
  readonly event: ReceivedEvent<D>;
  readonly events: readonly ReceivedEvent<D>[];
}

export type Handler<D> = (context: HandlerContext<D>) => unknown;
export type FailureHandler<D> = (context: HandlerContext<FailureData<D>> & { readonly error: Error }) => unknown;
export type Trigger = { readonly event: string; readonly if?: string } | { readonly cron: string };

/** A function's options as its author writes them; both SDKs share their names. */
export interface FunctionOptions<D> {
  readonly id: string;
  readonly onFailure?: FailureHandler<D>;
  readonly [option: string]: unknown;
}

/** A function of one client. Only its own SDK looks inside. */
export interface SdkFunction {
  readonly sdk: SdkName;
  readonly native: object;
}

/** How a client reaches the engine. */
export interface ClientOptions {
  readonly id: string;
  /** Origin of the engine. */
  readonly engine: string;
  /** `dev` signs nothing and needs no keys. */
  readonly mode: "dev" | "cloud";
  readonly eventKey?: string;
  readonly signingKey?: string;
  readonly signingKeyFallback?: string;
  /** The branch environment (EV-22). */
  readonly env?: string;
  readonly appVersion?: string;
  readonly optimizeParallelism?: boolean;
  /** Several steps per call (EX-66); default false for both SDKs. */
  readonly checkpointing?: boolean | Readonly<Record<string, string | number>>;
  /** What the SDK makes its requests to the engine with. */
  readonly fetch?: typeof fetch;
  /** In the form of the SDK the client is made of. */
  readonly middleware?: readonly unknown[];
}

/** A client of one SDK. */
export interface Client {
  readonly sdk: SdkName;
  /** The SDK's own client. */
  readonly native: object;
  readonly id: string;
  send(events: TestEvent | readonly TestEvent[]): Promise<string[]>;
  fn<D = Data>(options: FunctionOptions<D>, triggers: readonly Trigger[], handler: Handler<D>): SdkFunction;
  /** Serves functions with the SDK's own adapter for Node. */
  listener(functions: readonly SdkFunction[], serving: { readonly streaming: boolean }): RequestListener;
}

export type SdkName = "v3" | "v4";

/** One SDK: its clients and its error classes. */
export interface Sdk {
  readonly name: SdkName;
  /** As the registration reports it. */
  readonly version: string;
  client(options: ClientOptions): Client;
  readonly NonRetriableError: new (message: string, options?: { cause?: unknown }) => Error;
  readonly RetryAfterError: new (message: string, retryAfter: number | string | Date) => Error;
  /** A function to invoke that is known by name only; without `appId` it is one of the caller's app. */
  referenceFunction(name: { readonly appId?: string; readonly functionId: string }): object;
  /** The SDK's `fetch`, which the engine performs inside a function (EX-58). */
  readonly fetch: typeof fetch;
  /** What a handler catches when a step has failed for good. */
  isStepError(thrown: unknown): boolean;
}

const SILENT = { info() {}, warn() {}, error() {}, debug() {} };

const V3: Sdk = {
  name: "v3",
  version: "3.54.2",
  NonRetriableError: v3.NonRetriableError,
  RetryAfterError: v3.RetryAfterError,
  referenceFunction: (name) => v3.referenceFunction(name),
  fetch: v3.fetch,
  isStepError: (thrown) => thrown instanceof v3.StepError,
  client(options) {
    const client = new v3.Inngest({
      ...common(options),
      ...unchecked(options.middleware, "middleware"),
      checkpointing: options.checkpointing ?? false,
    });
    return {
      sdk: "v3",
      native: client,
      id: options.id,
      // The payloads are the scenario's own; the SDK's types ask for schemas nobody declared.
      send: async (events) => (await client.send(events as never)).ids,
      fn: (config, triggers, handler) => ({
        sdk: "v3",
        // The scenario's types are narrower than the SDK's generic ones; what arrives at run time is what the scenario sent.
        native: client.createFunction(config as never, triggers as never, handler as never),
      }),
      listener: (functions, { streaming }) =>
        serveV3({
          client,
          functions: natives<v3.InngestFunction.Like>("v3", functions),
          logLevel: "silent",
          ...(streaming ? { streaming: "force" } : {}),
          ...keys(options),
        }),
    };
  },
};

const V4: Sdk = {
  name: "v4",
  version: "4.24.0",
  NonRetriableError: v4.NonRetriableError,
  RetryAfterError: v4.RetryAfterError,
  referenceFunction: (name) => v4.referenceFunction(name),
  fetch: v4.fetch,
  isStepError: (thrown) => thrown instanceof v4.StepError,
  client(options) {
    const client = new v4.Inngest({
      ...common(options),
      ...keys(options),
      ...unchecked(options.middleware, "middleware"),
      checkpointing: options.checkpointing ?? false,
    });
    return {
      sdk: "v4",
      native: client,
      id: options.id,
      // As for v3: the SDK's types know less about these payloads and handlers than the scenario does.
      send: async (events) => (await client.send(events as never)).ids,
      fn: (config, triggers, handler) => ({
        sdk: "v4",
        native: client.createFunction({ ...config, triggers } as never, handler as never),
      }),
      listener: (functions, { streaming }) =>
        serveV4({ client, functions: natives<v4.InngestFunction.Like>("v4", functions), streaming }),
    };
  },
};

/** Both SDKs by name. */
export const SDKS: Readonly<Record<SdkName, Sdk>> = { v3: V3, v4: V4 };

function common({ id, engine, mode, eventKey, env, appVersion, optimizeParallelism, fetch }: ClientOptions) {
  return {
    id,
    baseUrl: engine,
    isDev: mode === "dev",
    logger: SILENT,
    ...(eventKey === undefined ? {} : { eventKey }),
    ...(env === undefined ? {} : { env }),
    ...(appVersion === undefined ? {} : { appVersion }),
    ...(optimizeParallelism === undefined ? {} : { optimizeParallelism }),
    ...(fetch === undefined ? {} : { fetch }),
  };
}

function keys({ signingKey, signingKeyFallback }: ClientOptions) {
  return {
    ...(signingKey === undefined ? {} : { signingKey }),
    ...(signingKeyFallback === undefined ? {} : { signingKeyFallback }),
  };
}

/** An option whose type belongs to one SDK; the scenario that gives it imports that SDK. */
function unchecked(value: unknown, name: string): Record<string, never> {
  return value === undefined ? {} : { [name]: value as never };
}

function natives<T>(sdk: SdkName, functions: readonly SdkFunction[]): T[] {
  return functions.map((fn) => {
    if (fn.sdk !== sdk) throw new Error(`A function of ${fn.sdk} cannot be served with ${sdk}`);
    // `native` was made by this SDK's createFunction: the line above is the proof.
    return fn.native as T;
  });
}
