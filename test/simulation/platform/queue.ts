/**
 * A queue: at least once, in no promised order, and gone with the process (faults.md §2). Owns batches and their repetition.
 */
import type { Agenda, Owner } from "./agenda.ts";
import type { Random } from "./random.ts";

/** Probabilities per message. */
export interface QueueFaults {
  readonly lost: number;
  readonly doubled: number;
}

/** Consumes one batch, as a Worker's `queue` handler does. */
type Consume = (batch: never) => Promise<void>;

/** ms a message waits for its batch, at least and at most. */
const DELAY = [5, 1200] as const;

/** A producer's binding whose messages reach the consumer. `request` gives the owner of one invocation. */
export function simulatedQueue(
  name: string,
  world: {
    readonly agenda: Agenda;
    readonly random: Random;
    readonly faults: () => QueueFaults;
    readonly request: () => Owner;
  },
  consume: Consume,
) {
  const { agenda, random, faults, request } = world;
  const deliver = (body: unknown, attempts: number): void => {
    agenda.after(
      random.integer(...DELAY),
      () => {
        let settled = false;
        const again = () => {
          settled = true;
          deliver(body, attempts + 1);
        };
        const message = {
          id: `${name} ${agenda.events}`,
          body: structuredClone(body),
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
    if (!random.chance(faults().lost)) deliver(body, 1);
    if (random.chance(faults().doubled)) deliver(body, 1);
    return Promise.resolve();
  };
  return {
    send,
    sendBatch: async (messages: readonly { readonly body: unknown }[]) => {
      for (const { body } of messages) await send(body);
    },
  };
}
