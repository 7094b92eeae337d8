/**
 * From a published body to messages in a channel (RT-2, RT-10, protocol/08 §8.4). Owns how a body becomes messages: one of JSON or text,
 * or a stream's pieces one after the other. Whoever may publish is decided before.
 */
import type { Bindings } from "../bindings.ts";
import { MillraceError } from "../errors.ts";
import { readBody, unbroken } from "../events/body.ts";
import { newUlid } from "../ids.ts";
import { REALTIME } from "../limits.ts";
import { channelStub } from "../objects.ts";
import type { Message } from "../protocol/realtime.ts";
import { dataOf, type Target } from "../protocol/realtime-request.ts";

/** Where messages go; as an argument, so that it can be a test's. Answers as `Channel.publish` does. */
export type Send = (messages: readonly Message[]) => Promise<{ readonly sent: boolean; readonly retryAt?: number }>;

/**
 * Publishes the body of a request. Throws `message_too_large`, `body_invalid`, and `realtime_rate_limited` unless the body is a stream,
 * whose pieces wait for their turn.
 */
export async function publish(
  bindings: Bindings,
  environmentId: string,
  target: Target,
  request: Request,
): Promise<void> {
  const channel = await channelStub(bindings, environmentId, target.channel);
  const send: Send = (messages) => channel.publish(target.channel, messages);
  if (request.headers.get("content-type")?.startsWith("text/stream") === true) {
    return await publishStream(send, target, request.body);
  }
  const data = dataOf(await messageBody(request));
  const { sent } = await send(messagesFor(target, data, null));
  if (!sent) {
    throw new MillraceError("realtime_rate_limited", `Too many messages on channel "${target.channel}" for now.`);
  }
}

async function messageBody(request: Request): Promise<string> {
  try {
    return await readBody(request, REALTIME.messageBytes);
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== "request_too_large") throw error;
    throw tooLarge("message", REALTIME.messageBytes, error);
  }
}

/** Publishes a stream of UTF-8 text as it comes, each piece as a message. What came before a fault has been published. */
export async function publishStream(
  send: Send,
  target: Target,
  body: ReadableStream<Uint8Array> | null,
): Promise<void> {
  const streamId = newUlid(Date.now());
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  const { pieceBytes, bytes: most } = REALTIME.published;
  const reader = body?.getReader();
  let size = 0;
  try {
    for (;;) {
      const read = await unbroken(async () => await reader?.read());
      if (read === undefined || read.done) break;
      size += read.value.byteLength;
      if (size > most) throw tooLarge("stream", most);
      for (let at = 0; at < read.value.byteLength; at += pieceBytes) {
        const text = decode(decoder, read.value.subarray(at, at + pieceBytes));
        if (text !== "") await sendInTurn(send, messagesFor(target, JSON.stringify(text), streamId));
      }
    }
    decode(decoder, null);
  } catch (error) {
    await reader?.cancel();
    throw error;
  }
}

async function sendInTurn(send: Send, messages: readonly Message[]): Promise<void> {
  for (;;) {
    const { sent, retryAt } = await send(messages);
    if (sent) return;
    await scheduler.wait(Math.max(1, (retryAt ?? 0) - Date.now()));
  }
}

/** One message for each topic. */
function messagesFor({ topics, runId, metadata }: Target, data: string, streamId: string | null): Message[] {
  return topics.map((topic) => ({ kind: "data", topic, data, runId, functionId: null, metadata, streamId }));
}

/** Decodes the next bytes, or with null says whether a character is left unfinished. */
function decode(decoder: TextDecoder, bytes: Uint8Array | null): string {
  try {
    return bytes === null ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    throw new MillraceError("body_invalid", "The stream is not UTF-8 text.");
  }
}

function tooLarge(what: string, limit: number, cause?: unknown): MillraceError {
  return new MillraceError("message_too_large", `The ${what} is too large; the limit is ${limit} bytes.`, { cause });
}
