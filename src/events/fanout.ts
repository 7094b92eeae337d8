/**
 * The consumer of the fan-out queue: starts the runs of one chunk of a large send. Owns the message and what counts as done.
 * A message is only a nudge: whatever goes wrong here, the environment's object still has the chunk and sends it again.
 */
import * as z from "zod";
import type { Bindings } from "../bindings.ts";
import { countD1 } from "../counters.ts";
import { messageOf } from "../errors.ts";
import { loadStoredEvents } from "../history/events.ts";
import { record } from "../history/record.ts";
import { ensureSchema } from "../history/schema.ts";
import { resentContribution } from "../metrics/contributions.ts";
import { countStatements } from "../metrics/statements.ts";
import { environmentStub } from "../objects.ts";
import { matchEvents, publishMatched } from "./publish.ts";

/** A chunk, by reference: the events are in D1 under their internal ids. */
const messageSchema = z.object({
  environmentId: z.string(),
  chunkId: z.string(),
  eventIds: z.array(z.string()).readonly(),
  /** How often it was sent before; absent: never. */
  attempt: z.number().optional(),
});

export type FanoutMessage = z.infer<typeof messageSchema>;

/** Handles one batch, chunk by chunk to bound memory. Never asks the queue to retry: retries are the environment's. */
export async function consumeFanout(batch: MessageBatch<unknown>, bindings: Bindings): Promise<void> {
  for (const message of batch.messages) {
    try {
      // A message may come from another version of the Worker than this one.
      await fanOut(messageSchema.parse(message.body), bindings, Date.now());
    } catch (error) {
      console.error(`fan-out: message ${message.id} failed and its chunk stays pending: ${messageOf(error)}`);
    }
    message.ack();
  }
}

async function fanOut(
  { environmentId, chunkId, eventIds, attempt = 0 }: FanoutMessage,
  bindings: Bindings,
  now: number,
): Promise<void> {
  await ensureSchema(bindings.DB);
  const stored = await loadStoredEvents(bindings.DB, environmentId, eventIds);
  const events = stored.map(({ event }) => event);
  const matched = (await matchEvents(bindings, environmentId, events, now)).map((item, index) => ({
    ...item,
    repeated: item.repeated || stored[index]?.duplicate === true,
    known: stored[index]?.outcomes ?? [],
  }));
  await record(bindings, environmentId, await publishMatched(bindings, environmentId, matched, now));
  await environmentStub(bindings, environmentId).done(chunkId);
  if (attempt === 0) return;
  const statements = countStatements(bindings.DB, [resentContribution(environmentId, now)]);
  for (const { meta } of await bindings.DB.batch(statements)) countD1(meta);
}
