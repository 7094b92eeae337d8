/**
 * The realtime clients of both SDKs behind one narrow interface: `@inngest/realtime` beside v3, `inngest/realtime` of v4.
 * Owns where the two differ, and collecting what a subscription yields.
 */
import "../harness/one-process.ts";
import * as v3 from "@inngest/realtime";
import { realtimeMiddleware } from "@inngest/realtime/middleware";
import type { Inngest } from "inngest";
import * as v4 from "inngest/realtime";
import type { Scenario } from "../harness/scenario.ts";
import type { Client, HandlerContext, SdkName } from "../harness/sdk.ts";

/** A message as the SDK yields it. */
export interface Yielded {
  readonly kind: string;
  readonly channel?: string;
  readonly topic?: string;
  readonly data: unknown;
  readonly runId?: string;
  readonly createdAt: Date;
}

/** What a user's server hands to a browser. */
export interface Token {
  readonly channel: string;
  readonly topics: string[];
  readonly key?: string;
}

/** An open subscription. */
export interface Subscription {
  /** What it has yielded so far, by `for await`. */
  readonly messages: readonly Yielded[];
  data(): unknown[];
  readonly encoded: ReadableStream<Uint8Array>;
  /** True once the stream has ended. */
  ended(): boolean;
}

/** One SDK's realtime. */
export interface Realtime {
  token(client: Client, channel: string, topics: readonly string[]): Promise<Token>;
  /** Without a token's key the SDK asks for one itself. */
  subscribe(client: Client, token: Token): Promise<Subscription>;
  /** Publishes as a step of its own. */
  publishAsStep(context: HandlerContext<never>, id: string, to: Topic, data: unknown): Promise<unknown>;
  /** Publishes within a step's body. */
  publishInStep(context: HandlerContext<never>, client: Client, to: Topic, data: unknown): Promise<unknown>;
}

export interface Topic {
  readonly channel: string;
  readonly topic: string;
}

interface WithPublish {
  publish(message: Topic & { readonly data: unknown }): Promise<unknown>;
}

interface WithRealtime {
  readonly step: {
    readonly realtime: {
      publish(id: string, to: Topic & { readonly config: object }, data: unknown): Promise<unknown>;
    };
  };
}

const V3: Realtime = {
  // The packages' own types tie channels, topics and clients together; these are the scenario's, and arrive as they are.
  token: (client, channel, topics) =>
    v3.getSubscriptionToken(client.native as never, {
      channel,
      topics: [...topics],
    }) as Promise<unknown> as Promise<Token>,
  subscribe: async (client, token) => collect(await v3.subscribe({ ...token, app: client.native as never } as never)),
  publishAsStep: (context, _, to, data) => publishV3(context, to, data),
  publishInStep: (context, _, to, data) => publishV3(context, to, data),
};

function publishV3(context: unknown, to: Topic, data: unknown): Promise<unknown> {
  return (context as WithPublish).publish({ ...to, data });
}

const V4: Realtime = {
  token: (client, channel, topics) =>
    v4.getSubscriptionToken(client.native as Inngest, { channel, topics: [...topics] }) as Promise<Token>,
  subscribe: async (client, token) => collect(await v4.subscribe({ ...token, app: client.native as Inngest })),
  publishAsStep: (context, id, to, data) =>
    (context as unknown as WithRealtime).step.realtime.publish(id, { ...to, config: {} }, data),
  publishInStep: (_, client, to, data) =>
    (client.native as Inngest).realtime.publish({ ...to, config: {} } as never, data as never),
};

const BY_NAME: Readonly<Record<SdkName, Realtime>> = { v3: V3, v4: V4 };

/** A client of the scenario that can publish, and its SDK's realtime. */
export function realtimeOf({ sdk, newClient }: Scenario): { readonly realtime: Realtime; readonly client: Client } {
  const client = newClient(sdk.name === "v3" ? { middleware: [realtimeMiddleware()] } : {});
  return { realtime: BY_NAME[sdk.name], client };
}

interface SdkStream extends ReadableStream<unknown> {
  getEncodedStream(): ReadableStream<Uint8Array>;
}

function collect(stream: object): Subscription {
  // Both SDKs answer a stream with more methods; their types name the same things differently.
  const subscribed = stream as SdkStream;
  const messages: Yielded[] = [];
  let ended = false;
  const read = async (): Promise<void> => {
    // What users write; the types of Node's streams and the web's do not agree that it works.
    for await (const message of subscribed as unknown as AsyncIterable<Yielded>) messages.push(message);
    ended = true;
  };
  void read();
  return {
    messages,
    data: () => messages.map(({ data }) => data),
    encoded: subscribed.getEncodedStream(),
    ended: () => ended,
  };
}
