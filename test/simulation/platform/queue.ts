/**
 * A queue: at least once, in no promised order, and gone with the process (faults.md §2). Owns batches and their repetition.
 */
import type { Agenda, Owner } from "./agenda.ts";
import { copyOf } from "./copy.ts";
import type { QueueFaults } from "./faults.ts";
import type { Mishaps } from "./mishaps.ts";

/** Consumes one batch, as a Worker's `queue` handler does. */
type Consume = (batch: never) => Promise<void>;

/** ms a message waits for its batch, at least and at most; and at most when it is late. */
const DELAY = [5, 1200] as const;
const LATE = 3_600_000;

/** A producer's binding whose messages reach the consumer. `request` gives the owner of one invocation. */
export function simulatedQueue(
  name: string,
  world: {
    readonly agenda: Agenda;
    readonly mishaps: Mishaps;
    readonly faults: () => QueueFaults;
    readonly request: () => Owner;
  },
  consume: Consume,
) {
  const { agenda, mishaps, faults, request } = world;
  const deliver = (body: unknown, attempts: number, delay = 0): void => {
    const late = mishaps.happens(faults().late, "message late", () => name);
    agenda.after(
      Math.max(delay, mishaps.between(...DELAY)) + (late ? mishaps.between(0, LATE) : 0),
      () => {
        let settled = false;
        const again = (options?: { readonly delaySeconds?: number }) => {
          settled = true;
          deliver(body, attempts + 1, (options?.delaySeconds ?? 0) * 1000);
        };
        const message = {
          id: `${name} ${agenda.events}`,
          body: copyOf(body),
          attempts,
          ack: () => {
            settled = true;
          },
          retry: again,
        };
        agenda.as(request(), async () => {
          try {
            await consume({ queue: name, messages: [message] } as never);
          } catch {
            if (!settled) again();
          }
        });
      },
      null,
    );
  };
  const send = (body: unknown): Promise<void> => {
    const sent = copyOf(body);
    if (!mishaps.happens(faults().lost, "message lost", () => name)) deliver(sent, 1);
    if (mishaps.happens(faults().doubled, "message doubled", () => name)) deliver(sent, 1);
    return Promise.resolve();
  };
  return {
    send,
    sendBatch: async (messages: readonly { readonly body: unknown }[]) => {
      for (const { body } of messages) await send(body);
    },
  };
}
