/**
 * What one connection hears: a channel and some of its topics (RT-4, RT-6). Pure.
 * Owns how topics are added and taken away on an open connection, and how many there may be (RT-16).
 */
import { REALTIME } from "../../limits.ts";

/** A connection's topics, each once. */
export interface Subscription {
  readonly channel: string;
  readonly topics: readonly string[];
}

/** The subscription with more topics; null when there would be too many, and then nothing changes. */
export function withTopics(subscription: Subscription, more: readonly string[]): Subscription | null {
  const topics = [...new Set([...subscription.topics, ...more])];
  return fits(topics, REALTIME.topicBytes.connection) ? { ...subscription, topics } : null;
}

/** The subscription without some topics. One without any goes on hearing nothing. */
export function withoutTopics(subscription: Subscription, fewer: readonly string[]): Subscription {
  const gone = new Set(fewer);
  return { ...subscription, topics: subscription.topics.filter((topic) => !gone.has(topic)) };
}

/** Whether so many topics may be heard together; `bytes` limits their JSON. */
export function fits(topics: readonly string[], bytes: number): boolean {
  if (topics.length > REALTIME.topics) return false;
  return new TextEncoder().encode(JSON.stringify(topics)).byteLength <= bytes;
}
