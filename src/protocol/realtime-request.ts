/**
 * Requests about realtime as they are on the wire (protocol/08 §8.2, §8.4): which topics a token is asked for, and where and what is
 * published. Pure. Owns the limits of names and sizes (RT-1, RT-10); who may do it is decided elsewhere.
 */
import * as z from "zod";
import { fits } from "../decide/channel/subscription.ts";
import { MillraceError } from "../errors.ts";
import { isUlid } from "../ids.ts";
import { type Json, parseJson } from "../json.ts";
import { REALTIME } from "../limits.ts";
import { isReserved, STREAM } from "./realtime.ts";

/** Where something is published. */
export interface Target {
  readonly channel: string;
  /** Each once, at least one. */
  readonly topics: readonly string[];
  /** The run that publishes; null when none is named. */
  readonly runId: string | null;
  /** JSON text, or null. */
  readonly metadata: string | null;
}

const topicsSchema = z
  .array(z.object({ channel: z.string(), name: z.string() }))
  .min(1)
  .max(REALTIME.topics);

/** The channel and topics a token is asked for. Throws `invalid_request`. */
export function parseTopics(json: Json): { readonly channel: string; readonly topics: readonly string[] } {
  const { data } = topicsSchema.safeParse(json);
  const [first] = data ?? [];
  if (data === undefined || first === undefined) {
    throw refused(
      `A token is asked for with a list of 1 to ${REALTIME.topics} topics, each with "channel" and "name".`,
    );
  }
  const channel = parseChannel(first.channel);
  if (data.some((topic) => topic.channel !== channel)) throw refused("A token is for topics of one channel only.");
  const topics = [...new Set(data.map(({ name }) => parseTopic(name)))];
  if (topics.includes(STREAM) && topics.length > 1) throw refused(`${STREAM} is no topic beside others.`);
  const { token: bytes } = REALTIME.topicBytes;
  if (!fits(topics, bytes)) {
    throw refused(`The topics of a token have at most ${bytes} bytes together, because it is part of a URL.`);
  }
  return { channel, topics };
}

/** Where a request publishes. Throws `invalid_request`. */
export function parseTarget(query: URLSearchParams): Target {
  const channel = parseChannel(query.get("channel") ?? "");
  const topics = [...new Set(query.getAll("topic").map(parseTopic))];
  if (topics.length === 0) throw refused("A message needs a topic.");
  if (topics.length > REALTIME.topics) throw refused(`A message has at most ${REALTIME.topics} topics.`);
  for (const topic of topics) {
    if (isReserved(topic)) throw new MillraceError("invalid_request", `Only the engine publishes to ${topic}.`);
  }
  const runId = query.get("run_id");
  if (runId !== null && !isUlid(runId)) throw refused(`"${runId.slice(0, 64)}" is not the id of a run.`);
  return { channel, topics, runId, metadata: parseMetadata(query.get("metadata")) };
}

/** A channel's name. Throws `invalid_request`. */
export function parseChannel(name: string): string {
  if (name !== "" && name.length <= REALTIME.channelLength) return name;
  throw refused(`A channel's name has 1 to ${REALTIME.channelLength} characters.`);
}

/**
 * The data of a published body, as JSON text: the body itself when it is JSON, otherwise the body as a string, because SDKs send strings
 * without quotes. Throws `invalid_request` when it is nested too deep.
 */
export function dataOf(body: string): string {
  const json = parseJson(body);
  if (json.ok) return onOneLine(body);
  if (isJson(body)) throw refused(`The message is refused: ${json.reason}.`);
  return JSON.stringify(body);
}

function parseTopic(name: string): string {
  if (name !== "" && name.length <= REALTIME.topicLength) return name;
  throw refused(`A topic's name has 1 to ${REALTIME.topicLength} characters.`);
}

function parseMetadata(text: string | null): string | null {
  if (text === null || text === "") return null;
  const { metadataBytes } = REALTIME;
  if (new TextEncoder().encode(text).byteLength > metadataBytes) {
    throw refused(`The metadata of a message has at most ${metadataBytes} bytes.`);
  }
  if (!parseJson(text).ok) throw refused("The metadata of a message is JSON.");
  return onOneLine(text);
}

/** JSON as a server-sent event needs it; inside its strings a line never breaks. */
function onOneLine(json: string): string {
  return json.replace(/[\r\n]/g, " ");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function refused(message: string): MillraceError {
  return new MillraceError("invalid_request", message);
}
