/**
 * What the engine finds as its bindings in a simulated world. Owns nothing but the list, which is that of wrangler.toml.
 */
import { Capacity } from "../../durable-objects/capacity.ts";
import { Directory } from "../../durable-objects/directory.ts";
import { Environment } from "../../durable-objects/environment.ts";
import { Operation } from "../../durable-objects/operation.ts";
import { Pause } from "../../durable-objects/pause.ts";
import { Run } from "../../durable-objects/run.ts";
import { Schedule } from "../../durable-objects/schedule.ts";
import { Waits } from "../../durable-objects/waits.ts";
import { Window } from "../../durable-objects/window.ts";
import type { Bindings } from "../../src/bindings.ts";
import { consumeFanout } from "../../src/events/fanout.ts";
import { consumeHistory } from "../../src/history/consume.ts";
import type { JsonObject } from "../../src/json.ts";
import type { SimulatedD1 } from "./platform/d1.ts";
import type { Objects } from "./platform/objects.ts";
import { simulatedQueue } from "./platform/queue.ts";

/** The bindings of a world. `host` is what queues need of it; `variables` replace its settings. */
export function bindingsOf(
  world: { readonly objects: Objects; readonly database: SimulatedD1 },
  host: Parameters<typeof simulatedQueue>[1],
  variables: JsonObject,
): Bindings {
  const { objects, database } = world;
  // The stand-ins have what the engine uses of the platform's types, and nothing else.
  const bindings = {
    RUN: objects.namespace(Run),
    WINDOW: objects.namespace(Window),
    CAPACITY: objects.namespace(Capacity),
    WAITS: objects.namespace(Waits),
    ENVIRONMENT: objects.namespace(Environment),
    DIRECTORY: objects.namespace(Directory),
    SCHEDULE: objects.namespace(Schedule),
    OPERATION: objects.namespace(Operation),
    PAUSE: objects.namespace(Pause),
    DB: database,
    HISTORY: simulatedQueue("history", host, (batch) => consumeHistory(batch, bindings)),
    FANOUT: simulatedQueue("fanout", host, (batch) => consumeFanout(batch, bindings)),
    MILLRACE_MODE: "dev",
    MILLRACE_RETRY_INTERVAL: "1",
    ...variables,
  } as unknown as Bindings;
  return bindings;
}
