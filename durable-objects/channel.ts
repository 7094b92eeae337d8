/**
 * One realtime channel: its subscribers, and the order of its messages (spec/08). Messages are for whoever listens at that moment, so
 * none is stored. Sockets stay open while the object sleeps; streams of server-sent events keep it in memory. A channel with more
 * subscribers than one object holds has further objects of this class, which get their messages from the first.
 */
import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../src/bindings.ts";
import { counters } from "../src/counters.ts";
import { capacityOf, type Room } from "../src/decide/channel/spread.ts";
import type { Subscription } from "../src/decide/channel/subscription.ts";
import { admit, type Tat } from "../src/decide/gcra.ts";
import { isUlid } from "../src/ids.ts";
import { REALTIME } from "../src/limits.ts";
import { channelNamed, channelStub, runStub } from "../src/objects.ts";
import * as wire from "../src/protocol/realtime.ts";
import { checkRealtimeToken } from "../src/protocol/token.ts";
import { Audience, type Delivery, Heard, type Listener } from "../src/realtime/audience.ts";
import { EventStream } from "../src/realtime/event-stream.ts";
import { type Ask, askOf, elsewhere } from "../src/realtime/subscribing.ts";
import { settingsOf } from "../src/settings.ts";
import { Branches } from "./channel/branches.ts";
import { type Control, deal } from "./channel/control.ts";
import { Sockets } from "./channel/sockets.ts";

/** Whether messages were sent. `retryAt`, ms since 1970: when there is room for the next one (RT-14). */
export type Published = { readonly sent: true } | { readonly sent: false; readonly retryAt: number };

export class Channel extends DurableObject<Bindings> {
  // schema: one table, made by `channel/branches.ts` when there is a further object.

  // load

  readonly #self = selfOf(this.ctx);
  readonly #settings = settingsOf(this.env);
  readonly #audience = new Audience();
  readonly #sockets = new Sockets(this.ctx, this.#audience);
  /** Streams of an endpoint's answer, which pass bytes on as they are (protocol/09 §9.4). */
  readonly #raw = new Set<EventStream>();
  readonly #branches = new Branches(this.ctx.storage, (number) => this.#object(number));
  /** The channel's name as requests tell it: the object's own may be a digest. */
  #channel = "";
  #joining = 0;
  #attaching: Promise<void> | null = null;
  #pinging = false;
  /** Time of the newest message, ms; subscribers see it never go back while they are connected (RT-8). */
  #newest = 0;
  #rate: Tat | null = null;

  // methods

  /** Takes a subscriber, or sends it elsewhere: see `src/realtime/subscribing.ts`. */
  override async fetch(request: Request): Promise<Response> {
    counters.objectRequests++;
    const ask = askOf(request);
    this.#channel = ask.channel;
    const place = await this.#place(ask);
    if (place !== this.#self.branch) return elsewhere(place);
    this.#joining++;
    try {
      await this.#attached();
      return await this.#join(ask, request.headers.get("upgrade") === "websocket");
    } finally {
      this.#joining--;
    }
  }

  /** Sends messages to whoever hears their topics, all of them or none. Resolves when no subscriber's object is far behind. */
  async publish(channel: string, messages: readonly wire.Message[]): Promise<Published> {
    counters.objectRequests++;
    const now = Date.now();
    const { realtimeRate: limit } = this.#settings;
    let rate = this.#rate;
    for (const _ of messages) {
      const admission = admit(rate, now, { limit, period: 1000, burst: limit });
      if (!admission.ok) return { sent: false, retryAt: admission.retryAt };
      rate = admission.tat;
    }
    this.#rate = rate;
    for (const message of messages) this.#send(channel, { message, to: null }, now);
    await this.#branches.ready();
    return { sent: true };
  }

  /** Sends what a run tells about itself. Answers the topics of these for which it may go on, because somebody hears them. */
  async announce(channel: string, announcements: readonly wire.Announcement[]): Promise<string[]> {
    counters.objectRequests++;
    const now = Date.now();
    for (const announcement of announcements) this.#send(channel, announcement, now);
    await this.#branches.ready();
    const all = Object.values(wire.OF_RUN);
    // What the further objects' subscribers hear is not known here.
    return this.#branches.size > 0 ? all : this.#audience.heard(all);
  }

  /** Passes bytes on to every raw stream as they are. */
  tee(bytes: Uint8Array): void {
    counters.objectRequests++;
    for (const stream of this.#raw) stream.send(bytes);
  }

  /** A further object is about to have its first subscriber. */
  attach(channel: string, branch: number): void {
    counters.objectRequests++;
    this.#channel = channel;
    this.#branches.attach(branch);
  }

  /** Messages from the channel's first object. Answers how many subscribers there are. */
  deliver(deliveries: readonly Delivery[]): number {
    counters.objectRequests++;
    for (const delivery of deliveries) this.#audience.deliver(delivery);
    return this.#size;
  }

  /** How many subscribers there are, those included that are about to join. */
  count(): number {
    counters.objectRequests++;
    return this.#size;
  }

  override async webSocketMessage(runtime: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const socket = this.#sockets.of(runtime);
    if (socket === null) return;
    const control: Control = {
      check: (token) => checkRealtimeToken(this.#settings, this.#self.environmentId, token, Date.now()),
      joined: (listener, topics) => this.#follow(listener, socket.subscription.channel, topics),
    };
    await socket.take(message, Date.now(), (text) => deal(this.#sockets, socket, text, control));
  }

  /** The subscriber has closed the connection, and waits for the same from this side. */
  override webSocketClose(runtime: WebSocket, code: number): void {
    this.#sockets.leave(runtime);
    // Not every code a side may receive is one it may send (RFC 6455 §7.4).
    if (code === 1000 || code >= 3000) runtime.close(code);
    else runtime.close();
  }

  /** The connection broke, which is no fault of the engine; the subscriber comes back if it wants to. */
  override webSocketError(runtime: WebSocket): void {
    this.#sockets.leave(runtime);
  }

  // alarm

  /** Pings the sockets, where the deployment wants that. Without it an object that nobody talks to is never woken. */
  override async alarm(): Promise<void> {
    counters.alarms++;
    this.#pinging = false;
    this.#sockets.tell(wire.PING);
    await this.#ping();
  }

  async #ping(): Promise<void> {
    const { realtimePing } = this.#settings;
    if (realtimePing === null || this.#pinging || this.#sockets.size === 0) return;
    this.#pinging = true;
    counters.rowsWritten++;
    await this.ctx.storage.setAlarm(Date.now() + realtimePing);
  }

  // apply

  get #size(): number {
    return this.#audience.size + this.#raw.size + this.#joining;
  }

  /** Where a subscriber goes: here, to another object, or nowhere. */
  async #place({ full, topics }: Ask): Promise<number | null> {
    const room: Room = { subscribers: this.#settings.realtimeSubscribers, perObject: REALTIME.perObject };
    const { branch } = this.#self;
    // What is teed reaches this object alone.
    if (topics.includes(wire.STREAM)) return this.#size < room.subscribers ? 0 : null;
    if (branch === 0) return await this.#branches.place(this.#size, full, room);
    return this.#size < capacityOf(branch, room) ? branch : 0;
  }

  /** Resolves when the channel's first object knows of this one. */
  async #attached(): Promise<void> {
    const { branch } = this.#self;
    if (branch === 0 || (this.#size > 1 && this.#attaching === null)) return;
    this.#attaching ??= this.#object(0)
      .then((first) => first.attach(this.#channel, branch))
      .finally(() => {
        this.#attaching = null;
      });
    await this.#attaching;
  }

  async #join({ channel, topics }: Subscription, upgrade: boolean): Promise<Response> {
    if (topics.includes(wire.STREAM)) return this.#openRaw();
    if (!upgrade) {
      const stream = this.#openStream(topics);
      await this.#follow(stream, channel, topics);
      return eventStream(stream);
    }
    const { socket, response } = this.#sockets.open({ channel, topics });
    await Promise.all([this.#follow(socket, channel, topics), this.#ping()]);
    return response;
  }

  #openRaw(): Response {
    const ended = () => this.#raw.delete(stream);
    const stream: EventStream = new EventStream({ ended, backlog: REALTIME.backlog.raw, farewell: null });
    this.#raw.add(stream);
    return eventStream(stream);
  }

  #openStream(topics: readonly string[]): EventStream {
    const ended = () => this.#audience.remove(stream);
    const farewell = new Heard(wire.CLOSING);
    const stream: EventStream = new EventStream({ ended, backlog: REALTIME.backlog.messages, farewell });
    this.#audience.set(stream, topics);
    return stream;
  }

  /** Makes the run that a channel belongs to tell about itself, when that is what a listener wants to hear. */
  async #follow(listener: Listener, channel: string, topics: readonly string[]): Promise<void> {
    const ofRun = topics.filter(wire.isOfRun);
    if (ofRun.length === 0 || !isUlid(channel)) return;
    await runStub(this.env, this.#self.environmentId, channel).follow(ofRun, listener.id);
  }

  #send(channel: string, { message, to }: wire.Announcement, now: number): void {
    this.#channel = channel;
    this.#newest = Math.max(this.#newest, now);
    const { topic } = message;
    if (this.#audience.heard([topic]).length === 0 && this.#branches.size === 0) return;
    const { environmentId } = this.#self;
    const text = wire.messageText(message, { channel, environmentId, createdAt: this.#newest });
    this.#audience.deliver({ topic, text, to });
    this.#branches.deliver({ topic, text, to });
  }

  async #object(branch: number) {
    return await channelStub(this.env, this.#self.environmentId, this.#channel, branch);
  }
}

function eventStream(stream: EventStream): Response {
  return new Response(stream.readable, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform" },
  });
}

function selfOf(ctx: DurableObjectState): { readonly environmentId: string; readonly branch: number } {
  const self = channelNamed(ctx.id.name ?? "");
  if (self === null) throw new Error("A channel's object is always addressed by name.");
  return self;
}
