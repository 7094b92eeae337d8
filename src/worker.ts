/**
 * The Worker: requests, queue batches and the minute's sweep, each handed to its owner. Re-exports the object classes and entrypoints
 * that wrangler.toml names. Holds no logic of its own.
 */
import { env } from "cloudflare:workers";
import { router } from "./api/router.ts";
import type { Bindings } from "./bindings.ts";
import { consumeFanout, type FanoutMessage } from "./events/fanout.ts";
import { consumeHistory } from "./history/consume.ts";
import type { HistoryMessage } from "./history/message.ts";
import { guardLog, ownKeys } from "./log-border.ts";
import { sweepEnvironments } from "./sweep/environments.ts";

export { Capacity } from "../durable-objects/capacity.ts";
export { Channel } from "../durable-objects/channel.ts";
export { Directory } from "../durable-objects/directory.ts";
export { Environment } from "../durable-objects/environment.ts";
export { Operation } from "../durable-objects/operation.ts";
export { Pause } from "../durable-objects/pause.ts";
export { Run } from "../durable-objects/run.ts";
export { Schedule } from "../durable-objects/schedule.ts";
export { Waits } from "../durable-objects/waits.ts";
export { Window } from "../durable-objects/window.ts";
export { Caller } from "./calls/caller.ts";

// Before anything can write to it. What the platform binds is what Bindings describes.
guardLog(console, () => ownKeys(env as unknown as Bindings));

export default {
  fetch(request, bindings, context) {
    return router.fetch(request, bindings, context);
  },
  /** Once a minute: wakes what an alarm that the platform gave up would leave asleep. */
  async scheduled(_controller, bindings) {
    await sweepEnvironments(bindings, Date.now());
  },
  async queue(batch, bindings) {
    // A queue carries one kind of message; its name tells which.
    if (batch.queue === "millrace-history") return consumeHistory(batch as MessageBatch<HistoryMessage>, bindings);
    return consumeFanout(batch as MessageBatch<FanoutMessage>, bindings);
  },
} satisfies ExportedHandler<Bindings, HistoryMessage | FanoutMessage>;
