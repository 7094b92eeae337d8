/**
 * Limits of realtime: messages, channels, and those who listen. Each number with its unit and its reason.
 */
import { KIB, MIB, MINUTE, SECOND } from "./units.ts";

/** Realtime channels (spec/08). */
export const REALTIME = {
  /** Characters of a channel's name, and of a topic's (RT-1). */
  channelLength: 1024,
  topicLength: 256,
  /** Bytes of a message's data as it is published (RT-10). */
  messageBytes: 512 * KIB,
  /** Bytes of a message's metadata, which travels in a URL. */
  metadataBytes: 4 * KIB,
  /** Topics of a token and of a connection (RT-4, RT-16). */
  topics: 100,
  /**
   * Bytes of these topics as JSON. A token is part of a URL, which the platform takes up to 16 KB; what a socket keeps while its
   * object sleeps may have 16 KiB.
   */
  topicBytes: { token: 6 * KIB, connection: 10 * KIB },
  /** Messages per second of one channel (RT-14): default and range. More than the platform's thousand requests per object gain nothing. */
  rate: { default: 1000, min: 1, max: 1000 },
  /** Subscribers of one channel (RT-16): default and range. */
  subscribers: { default: 10_000, min: 1, max: 50_000 },
  /** Subscribers one object holds before others are sent to the next one: an object has 128 MB and sends about 20,000 messages a second. */
  perObject: 1000,
  /** ms; how long an object of a channel trusts what it knows of how full the others are. */
  recount: 5 * SECOND,
  /** Bytes of messages on their way to one further object before publishers have to wait. */
  onTheWay: 8 * MIB,
  /** Bytes of a message a subscriber sends: a token and its envelope. */
  controlBytes: 16 * KIB,
  /** Messages a subscriber may send: so many at once, and so many per second after that. Whoever sends more is cut off. */
  control: { burst: 50, perSecond: 5 },
  /** ms; a stream of server-sent events carries at least a comment this often. */
  keepAlive: 15 * SECOND,
  /** ms between pings of sockets: the range of the setting; without it the engine sends none. */
  ping: { min: 1 * SECOND, max: 60 * MINUTE },
  /** ms; how long one stream of server-sent events lasts (RT-11). */
  stream: 15 * MINUTE,
  /** Bytes a stream of messages may be behind before it is cut off (RT-12); and one of an endpoint's answer, which may come in one piece. */
  backlog: { messages: 1 * MIB, raw: 4 * MIB },
  /** ms; a stream that is behind and reads nothing for this long is cut off (RT-12). */
  stalled: 30 * SECOND,
  /** A published stream: bytes of one piece, and of all of them. */
  published: { pieceBytes: 16 * KIB, bytes: 4 * MIB },
} as const;
