/**
 * Subscribers without an SDK: what is on the wire of a WebSocket and of a stream of server-sent events. Owns collecting messages.
 */
import * as z from "zod";
import type { TestEngine } from "../harness/engine.ts";

const tokenSchema = z.object({ jwt: z.string() });

/** Asks for a token with the engine's key; throws when it is refused. */
export async function tokenFor(
  { api }: Pick<TestEngine, "api">,
  channel: string,
  topics: readonly string[],
  right: "subscribe" | "publish" = "subscribe",
): Promise<string> {
  const body = topics.map((name) => ({ channel, name, kind: "run" }));
  const { status, json, text } = await api("POST", `/v1/realtime/token?publish=${right === "publish"}`, body);
  if (status !== 201) throw new Error(`The token was refused: ${status} ${text}`);
  return tokenSchema.parse(json).jwt;
}

const messageSchema = z.looseObject({
  kind: z.string(),
  channel: z.string().optional(),
  topic: z.string().optional(),
  data: z.json().optional(),
  created_at: z.string().optional(),
  run_id: z.string().optional(),
  fn_id: z.string().optional(),
  env_id: z.string().optional(),
  stream_id: z.string().optional(),
  metadata: z.json().optional(),
});

/** A message as it arrived. */
export type Received = z.infer<typeof messageSchema>;

/** An open connection. */
export interface Subscriber {
  /** What has arrived so far. */
  readonly messages: readonly Received[];
  /** The data of these, pings and the like left out. */
  data(): unknown[];
  /** Says something; only sockets can. */
  say(message: unknown): void;
  close(): void;
  /** Resolves with the close code, or null for a stream, when the connection has ended. */
  readonly closed: Promise<number | null>;
}

function collect(messages: Received[]): Pick<Subscriber, "messages" | "data"> {
  return {
    messages,
    data: () => messages.filter(({ kind }) => kind === "data").map(({ data }) => data),
  };
}

/** Connects a WebSocket; throws when it is refused. */
export function socket(engine: Pick<TestEngine, "url">, token: string): Promise<Subscriber> {
  return open(`${engine.url}/v1/realtime/connect?token=${token}`);
}

/** Connects a WebSocket to an address of the engine. */
export async function open(url: string): Promise<Subscriber> {
  const messages: Received[] = [];
  const connection = new WebSocket(url.replace(/^http/, "ws"));
  const closed = new Promise<number>((done) => {
    connection.onclose = ({ code }) => done(code);
  });
  connection.onmessage = ({ data }) => messages.push(messageSchema.parse(JSON.parse(String(data))));
  await new Promise<void>((done, fail) => {
    connection.onopen = () => done();
    connection.onerror = () => fail(new Error("The socket was refused"));
  });
  return {
    ...collect(messages),
    say: (message) => connection.send(typeof message === "string" ? message : JSON.stringify(message)),
    close: () => connection.close(),
    closed,
  };
}

/** Connects a stream of server-sent events; throws when it is refused. */
export async function stream(engine: Pick<TestEngine, "url">, token: string): Promise<Subscriber> {
  const abort = new AbortController();
  const response = await fetch(`${engine.url}/v1/realtime/sse?token=${token}`, { signal: abort.signal });
  if (response.status !== 200) throw new Error(`The stream was refused: ${response.status} ${await response.text()}`);
  const messages: Received[] = [];
  return {
    ...collect(messages),
    say() {
      throw new Error("A stream has only one direction");
    },
    close: () => abort.abort(),
    closed: read(response, messages).catch(() => null),
  };
}

async function read(response: Response, messages: Received[]): Promise<null> {
  let rest = "";
  await readText(response.body, (text) => {
    const events = (rest + text).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) {
      if (event.startsWith("data: ")) messages.push(messageSchema.parse(JSON.parse(event.slice(6))));
    }
  });
  return null;
}

/** Reads a stream of text to its end, piece by piece. */
export async function readText(stream: ReadableStream<Uint8Array> | null, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  const reader = stream?.getReader();
  for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
    take(decoder.decode(read.value, { stream: true }));
  }
}

/** Publishes a body with the engine's key and answers the status. */
export async function publish(
  { api }: Pick<TestEngine, "api">,
  channel: string,
  topic: string,
  body: unknown,
): Promise<number> {
  const query = new URLSearchParams({ channel, topic });
  return (await api("POST", `/v1/realtime/publish?${query}`, body)).status;
}
