/**
 * What a subscriber may ask for on its open socket: more topics, fewer topics, a sign of life (RT-6). Owns the answers.
 * Guarantees that a token is checked like one to connect with, and that one that is refused changes nothing.
 */
import { type Subscription, withoutTopics, withTopics } from "../../src/decide/channel/subscription.ts";
import { MillraceError } from "../../src/errors.ts";
import { REALTIME } from "../../src/limits.ts";
import { controlReply, PONG, parseControl, STREAM } from "../../src/protocol/realtime.ts";
import type { Grant } from "../../src/protocol/token.ts";
import type { Socket, Sockets } from "./sockets.ts";

/** What is asked of the channel's object. */
export interface Control {
  /** Throws `unauthorized`. */
  check(token: string): Promise<Grant>;
  /** Somebody hears these topics from now on. */
  joined(socket: Socket, topics: readonly string[]): Promise<void>;
}

/** Deals with one message of a subscriber. What it says that is no request is ignored. */
export async function deal(sockets: Sockets, socket: Socket, text: string, control: Control): Promise<void> {
  const asked = parseControl(text);
  const { channel } = socket.subscription;
  switch (asked?.kind) {
    case undefined:
      return;
    case "ping":
      return socket.say(PONG);
    case "unsub":
      sockets.change(socket, withoutTopics(socket.subscription, asked.topics));
      return socket.say(controlReply("unsub", channel, { topics: socket.subscription.topics }));
    case "sub": {
      try {
        const { topics } = await control.check(asked.token).then((grant) => allowed(channel, grant));
        sockets.change(socket, added(socket.subscription, topics));
        await control.joined(socket, topics);
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error;
        const { code, message } = error;
        return socket.say(controlReply("sub", channel, { error: { code, message } }));
      }
      return socket.say(controlReply("sub", channel, { topics: socket.subscription.topics }));
    }
  }
}

function allowed(channel: string, grant: Grant): Grant {
  if (grant.right === "publish") throw new MillraceError("forbidden", "The token allows publishing, not listening.");
  if (grant.channel !== channel) throw new MillraceError("forbidden", `This connection is of channel "${channel}".`);
  if (grant.topics.includes(STREAM)) throw new MillraceError("forbidden", "The stream of a run has no sockets.");
  return grant;
}

function added(subscription: Subscription, topics: readonly string[]): Subscription {
  const more = withTopics(subscription, topics);
  if (more !== null) return more;
  const { topics: most, topicBytes } = REALTIME;
  const limit = `${most} topics, which together have at most ${topicBytes.connection} bytes`;
  throw new MillraceError("rate_limited", `A connection hears at most ${limit}.`);
}
