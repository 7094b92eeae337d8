/**
 * The bindings of the deployment, exactly as wrangler.toml declares them. Owns nothing but the type:
 * values are read through `settings.ts`, so that no other file touches a raw variable or secret.
 */
import type { Capacity } from "../durable-objects/capacity.ts";
import type { Channel } from "../durable-objects/channel.ts";
import type { Directory } from "../durable-objects/directory.ts";
import type { Environment } from "../durable-objects/environment.ts";
import type { Operation } from "../durable-objects/operation.ts";
import type { Pause } from "../durable-objects/pause.ts";
import type { Run } from "../durable-objects/run.ts";
import type { Schedule } from "../durable-objects/schedule.ts";
import type { Waits } from "../durable-objects/waits.ts";
import type { Window } from "../durable-objects/window.ts";
import type { Caller } from "./calls/caller.ts";
import type { FanoutMessage } from "./events/fanout.ts";
import type { HistoryMessage } from "./history/message.ts";

/** Everything the platform hands to the Worker and to its objects. */
export interface Bindings {
  readonly RUN: DurableObjectNamespace<Run>;
  readonly WINDOW: DurableObjectNamespace<Window>;
  readonly CAPACITY: DurableObjectNamespace<Capacity>;
  readonly DIRECTORY: DurableObjectNamespace<Directory>;
  readonly WAITS: DurableObjectNamespace<Waits>;
  readonly SCHEDULE: DurableObjectNamespace<Schedule>;
  readonly OPERATION: DurableObjectNamespace<Operation>;
  readonly PAUSE: DurableObjectNamespace<Pause>;
  readonly CHANNEL: DurableObjectNamespace<Channel>;
  readonly ENVIRONMENT: DurableObjectNamespace<Environment>;
  readonly DB: D1Database;
  readonly HISTORY: Queue<HistoryMessage>;
  readonly FANOUT: Queue<FanoutMessage>;
  readonly CALLER: Service<typeof Caller>;

  readonly MILLRACE_MODE?: string;
  readonly MILLRACE_PUBLIC_URL?: string;
  readonly MILLRACE_SECRET?: string;
  readonly MILLRACE_SECRET_PREVIOUS?: string;
  readonly MILLRACE_CALL_TIMEOUT?: string;
  readonly MILLRACE_CALL_SILENCE?: string;
  readonly MILLRACE_ENDPOINT_LEASE?: string;
  readonly MILLRACE_ENDPOINT_WAIT?: string;
  readonly MILLRACE_RETRY_INTERVAL?: string;
  readonly MILLRACE_MAX_EVENT_BYTES?: string;
  readonly MILLRACE_MAX_REQUEST_BYTES?: string;
  readonly MILLRACE_EVENT_RATE?: string;
  readonly MILLRACE_EVENT_BYTE_RATE?: string;
  readonly MILLRACE_MAX_CHAIN?: string;
  readonly MILLRACE_MAX_STEPS?: string;
  readonly MILLRACE_MAX_CONCURRENCY?: string;
  readonly MILLRACE_REALTIME_RATE?: string;
  readonly MILLRACE_REALTIME_SUBSCRIBERS?: string;
  readonly MILLRACE_REALTIME_PING?: string;
  readonly MILLRACE_RETENTION_DAYS?: string;
  readonly MILLRACE_READS_PER_MINUTE?: string;
  readonly MILLRACE_WRITES_PER_MINUTE?: string;
  readonly MILLRACE_CRON_CATCH_UP?: string;
  readonly MILLRACE_ALLOW_PRIVATE_APPS?: string;
  readonly MILLRACE_ALLOW_PRIVATE_FETCH?: string;
  readonly MILLRACE_NO_UI?: string;
  readonly TEST_MODE?: string;
  readonly INNGEST_SIGNING_KEY?: string;
  readonly INNGEST_SIGNING_KEY_FALLBACK?: string;
  readonly INNGEST_EVENT_KEY?: string;
}
