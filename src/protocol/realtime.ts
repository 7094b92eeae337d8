/**
 * Realtime messages as they are on the wire (protocol/08 §8.3): what subscribers receive and what they may send. Pure.
 * Guarantees that data reaches subscribers as the very text that was published, and that no kind is sent which a supported SDK
 * cannot take (RT-7): streams go out as `data`, because both SDKs crash on `datastream-start`.
 */
import * as z from "zod";
import { parseJson } from "../json.ts";

/** The raw stream of an endpoint's run; it has no messages. */
export const STREAM = "$stream";

/** What the engine publishes about a run, on the channel named by the run's id: how it ended, what its steps gave, how it is going. */
export const OF_RUN = { end: "$run", step: "$step", life: "$life" } as const;

const OF_RUN_TOPICS: ReadonlySet<string> = new Set(Object.values(OF_RUN));

/** True for topics that the engine feeds while somebody listens. */
export function isOfRun(topic: string): boolean {
  return OF_RUN_TOPICS.has(topic);
}

/** True for topics only the engine publishes to. */
export function isReserved(topic: string): boolean {
  return topic === STREAM || isOfRun(topic);
}

/** A message on its way to a channel. */
export interface Message {
  readonly kind: "data" | "run" | "step";
  readonly topic: string;
  /** JSON text. */
  readonly data: string;
  readonly runId: string | null;
  readonly functionId: string | null;
  /** JSON text. */
  readonly metadata: string | null;
  /** Shared by the pieces of one published stream. */
  readonly streamId: string | null;
}

/** A message of the engine itself: for all who hear its topic, or for the one listener of this id, who has just come. */
export interface Announcement {
  readonly message: Message;
  readonly to: string | null;
}

/** A message as subscribers receive it. `createdAt` in ms since 1970. */
export function messageText(
  message: Message,
  { channel, environmentId, createdAt }: { channel: string; environmentId: string; createdAt: number },
): string {
  const { kind, topic, data, runId, functionId, metadata, streamId } = message;
  const fields = [
    `"kind":"${kind}"`,
    `"channel":${JSON.stringify(channel)}`,
    `"topic":${JSON.stringify(topic)}`,
    `"data":${data}`,
    `"env_id":${JSON.stringify(environmentId)}`,
    `"created_at":"${new Date(createdAt).toISOString()}"`,
  ];
  if (runId !== null) fields.push(`"run_id":"${runId}"`);
  if (functionId !== null) fields.push(`"fn_id":"${functionId}"`);
  if (streamId !== null) fields.push(`"stream_id":"${streamId}"`);
  if (metadata !== null) fields.push(`"metadata":${metadata}`);
  return `{${fields.join(",")}}`;
}

/** Keep-alive, in either direction; the runtime answers a subscriber's ping of exactly this text without waking the object. */
export const PING = '{"kind":"ping"}';
export const PONG = '{"kind":"pong"}';

/** The engine is about to close the connection: reconnect with a fresh token (RT-11). */
export const CLOSING = '{"kind":"closing"}';

/** The answer to a subscriber's `sub` or `unsub`: the topics it hears now, or why it was refused. SDKs ignore it. */
export function controlReply(
  kind: "sub" | "unsub",
  channel: string,
  data:
    | { readonly topics: readonly string[] }
    | { readonly error: { readonly code: string; readonly message: string } },
): string {
  return JSON.stringify({ kind, channel, data });
}

/** What a subscriber sends. */
export type Control =
  | { readonly kind: "ping" }
  /** A token for more topics. */
  | { readonly kind: "sub"; readonly token: string }
  | { readonly kind: "unsub"; readonly topics: readonly string[] };

// Tools name a topic by its name, or by the object they asked a token with.
const topicName = z.union([z.string(), z.looseObject({ name: z.string() }).transform(({ name }) => name)]);

const controlSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ping") }),
  z
    .object({ kind: z.literal("sub"), data: z.string() })
    .transform(({ kind, data }): Control => ({ kind, token: data })),
  z
    .object({ kind: z.literal("unsub"), data: z.array(topicName) })
    .transform(({ kind, data }): Control => ({ kind, topics: data })),
]);

/** Parses a subscriber's message; null for anything that asks for nothing. */
export function parseControl(text: string): Control | null {
  const json = parseJson(text);
  return json.ok ? (controlSchema.safeParse(json.value).data ?? null) : null;
}
