/**
 * The deployment's settings, parsed once from its variables and secrets (spec/00 "Environment variables"). Owns defaults and ranges.
 * Guarantees that a setting outside its range is a clear `not_configured` error, never a silent default.
 */
import * as z from "zod";
import type { Bindings } from "./bindings.ts";
import { parseDuration } from "./duration.ts";
import { MillraceError } from "./errors.ts";
import { CALL, CAPACITY, CHAIN, ENDPOINT, EVENT, REALTIME, REQUEST_RATE, RUN } from "./limits.ts";

const flag = z
  .enum(["", "0", "1", "true", "false", "on", "off"])
  .transform((text) => text === "1" || text === "true" || text === "on");

const integer = (range: { min: number; max: number }) => z.coerce.number().int().min(range.min).max(range.max);

const duration = (range: { min: number; max: number }) =>
  z.string().transform((text, context) => {
    const length = parseDuration(text);
    if (length !== null && length >= range.min && length <= range.max) return length;
    context.addIssue(`must be a duration between ${range.min} and ${range.max} ms`);
    return z.NEVER;
  });

const hexKey = z
  .string()
  .regex(/^(?:signkey-\w+-)?(?:[0-9a-fA-F]{2})+$/, "must be even-length hex with an optional signkey-<word>- prefix");

const rootSecret = z.string().regex(/^[0-9a-fA-F]{64}$/, "must be 32 bytes in hex");

/** Signs tokens in dev mode, where nothing is protected by them. */
const DEV_SECRET = "6d696c6c72616365".repeat(4);

const schema = z.object({
  MILLRACE_MODE: z.enum(["dev", "cloud"]).default("cloud"),
  MILLRACE_PUBLIC_URL: z.url().optional(),
  MILLRACE_SECRET: rootSecret.optional(),
  MILLRACE_SECRET_PREVIOUS: rootSecret.optional(),
  MILLRACE_CALL_TIMEOUT: duration(CALL.timeout).default(CALL.timeout.default),
  MILLRACE_CALL_SILENCE: duration(CALL.silence).default(CALL.silence.default),
  MILLRACE_ENDPOINT_LEASE: duration(ENDPOINT.lease).default(ENDPOINT.lease.default),
  MILLRACE_ENDPOINT_WAIT: duration(ENDPOINT.wait).default(ENDPOINT.wait.default),
  MILLRACE_RETRY_INTERVAL: integer({ min: 0, max: 86_400 }).default(0),
  MILLRACE_MAX_EVENT_BYTES: integer(EVENT.bytes).default(EVENT.bytes.default),
  MILLRACE_MAX_REQUEST_BYTES: integer(EVENT.requestBytes).default(EVENT.requestBytes.default),
  MILLRACE_EVENT_RATE: integer(EVENT.keyRate.requests).default(EVENT.keyRate.requests.default),
  MILLRACE_EVENT_BYTE_RATE: integer(EVENT.keyRate.bytes).default(EVENT.keyRate.bytes.default),
  MILLRACE_MAX_CHAIN: integer(CHAIN.stop).default(CHAIN.stop.default),
  MILLRACE_MAX_STEPS: integer(RUN.steps).default(RUN.steps.default),
  MILLRACE_MAX_CONCURRENCY: integer(CAPACITY.ceiling).optional(),
  MILLRACE_REALTIME_RATE: integer(REALTIME.rate).default(REALTIME.rate.default),
  MILLRACE_REALTIME_SUBSCRIBERS: integer(REALTIME.subscribers).default(REALTIME.subscribers.default),
  MILLRACE_REALTIME_PING: duration(REALTIME.ping).optional(),
  MILLRACE_RETENTION_DAYS: integer(RUN.retentionDays).optional(),
  MILLRACE_READS_PER_MINUTE: integer(REQUEST_RATE.range).optional(),
  MILLRACE_WRITES_PER_MINUTE: integer(REQUEST_RATE.range).optional(),
  MILLRACE_CRON_CATCH_UP: z.enum(["skip", "latest", "all"]).optional(),
  MILLRACE_ALLOW_PRIVATE_APPS: flag.optional(),
  MILLRACE_ALLOW_PRIVATE_FETCH: flag.optional(),
  MILLRACE_NO_UI: flag.optional(),
  TEST_MODE: flag.optional(),
  INNGEST_SIGNING_KEY: hexKey.optional(),
  INNGEST_SIGNING_KEY_FALLBACK: hexKey.optional(),
  INNGEST_EVENT_KEY: z.string().optional(),
});

/** What the rest of the code reads instead of variables. Lengths of time are ms, sizes bytes. */
export interface Settings {
  readonly mode: "dev" | "cloud";
  readonly publicUrl: string | null;
  /** The root secrets of tokens, current one first, 32 bytes hex. Empty when a cloud deployment has none. */
  readonly secrets: readonly string[];
  readonly callTimeout: number;
  /** ms; silence tolerated inside a streamed reply (EX-64). */
  readonly callSilence: number;
  /** ms; how long an endpoint's handler may be silent before the engine takes its run over. */
  readonly endpointLease: number;
  /** ms; how long an endpoint's result URL keeps its caller waiting (EX-70). */
  readonly endpointWait: number;
  /** ms between attempts instead of the back-off table; 0 means the table (EX-21). */
  readonly retryInterval: number;
  readonly maxEventBytes: number;
  readonly maxRequestBytes: number;
  /** What one event key may send in a second (SE-18): requests, and bytes of their bodies. */
  readonly eventRate: { readonly requests: number; readonly bytes: number };
  /** Runs that led to an event from which it starts nothing any more (SE-18). */
  readonly maxChain: number;
  readonly maxSteps: number;
  /** Steps that may execute at once in the whole account (FC-14); null: no ceiling. */
  readonly maxConcurrency: number | null;
  /** Messages per second of one realtime channel (RT-14). */
  readonly realtimeRate: number;
  /** Subscribers of one realtime channel (RT-16). */
  readonly realtimeSubscribers: number;
  /** ms between pings of realtime sockets; null: none, so that idle ones cost nothing (RT-11). */
  readonly realtimePing: number | null;
  /** ms. */
  readonly retention: number;
  /** Requests over REST that one key may make in a minute (API-25); null: any number. */
  readonly requestRate: { readonly reads: number | null; readonly writes: number | null };
  /** What becomes of cron ticks that were missed (TR-13). */
  readonly cronCatchUp: "skip" | "latest" | "all";
  readonly allowPrivateApps: boolean;
  readonly allowPrivateFetch: boolean;
  /** Whether people get pages, and tools GraphQL (API-23). */
  readonly ui: boolean;
  /** Whether test suites may use the routes below `/test`; never in cloud mode. */
  readonly testMode: boolean;
  /** Current key first; empty in dev mode, where a configured key is ignored (DEV-12). */
  readonly signingKeys: readonly string[];
  readonly eventKeys: readonly string[];
}

const DAY = 24 * 60 * 60 * 1000;

/** Parses the variables. Throws `not_configured` naming every variable that is wrong, without its value. */
export function readSettings(bindings: Bindings): Settings {
  const parsed = schema.safeParse(bindings);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new MillraceError("not_configured", `The deployment is misconfigured: ${faults.join("; ")}`);
  }
  const value = parsed.data;
  const dev = value.MILLRACE_MODE === "dev";
  const secret = value.MILLRACE_SECRET ?? (dev ? DEV_SECRET : undefined);
  const keys = [value.INNGEST_SIGNING_KEY, value.INNGEST_SIGNING_KEY_FALLBACK].filter((key) => key !== undefined);
  return {
    mode: value.MILLRACE_MODE,
    publicUrl: value.MILLRACE_PUBLIC_URL ?? null,
    secrets: secret === undefined ? [] : [secret, value.MILLRACE_SECRET_PREVIOUS].filter((key) => key !== undefined),
    callTimeout: value.MILLRACE_CALL_TIMEOUT,
    callSilence: value.MILLRACE_CALL_SILENCE,
    endpointLease: value.MILLRACE_ENDPOINT_LEASE,
    endpointWait: value.MILLRACE_ENDPOINT_WAIT,
    retryInterval: value.MILLRACE_RETRY_INTERVAL * 1000,
    maxEventBytes: value.MILLRACE_MAX_EVENT_BYTES,
    maxRequestBytes: value.MILLRACE_MAX_REQUEST_BYTES,
    eventRate: { requests: value.MILLRACE_EVENT_RATE, bytes: value.MILLRACE_EVENT_BYTE_RATE },
    maxChain: value.MILLRACE_MAX_CHAIN,
    maxSteps: value.MILLRACE_MAX_STEPS,
    maxConcurrency: value.MILLRACE_MAX_CONCURRENCY ?? null,
    realtimeRate: value.MILLRACE_REALTIME_RATE,
    realtimeSubscribers: value.MILLRACE_REALTIME_SUBSCRIBERS,
    realtimePing: value.MILLRACE_REALTIME_PING ?? null,
    retention: (value.MILLRACE_RETENTION_DAYS ?? (dev ? RUN.retentionDays.dev : RUN.retentionDays.default)) * DAY,
    requestRate: {
      reads: value.MILLRACE_READS_PER_MINUTE ?? (dev ? null : REQUEST_RATE.reads),
      writes: value.MILLRACE_WRITES_PER_MINUTE ?? (dev ? null : REQUEST_RATE.writes),
    },
    cronCatchUp: value.MILLRACE_CRON_CATCH_UP ?? (dev ? "skip" : "latest"),
    allowPrivateApps: value.MILLRACE_ALLOW_PRIVATE_APPS ?? dev,
    allowPrivateFetch: value.MILLRACE_ALLOW_PRIVATE_FETCH ?? dev,
    ui: !(value.MILLRACE_NO_UI ?? false),
    testMode: dev && (value.TEST_MODE ?? false),
    signingKeys: dev ? [] : keys,
    eventKeys: dev
      ? []
      : (value.INNGEST_EVENT_KEY ?? "")
          .split(",")
          .map((key) => key.trim())
          .filter((key) => key !== ""),
  };
}

const cache = new WeakMap<object, Settings>();

/** {@link readSettings}, remembered per bindings object: settings cannot change while an isolate lives. */
export function settingsOf(bindings: Bindings): Settings {
  const known = cache.get(bindings);
  if (known !== undefined) return known;
  const settings = readSettings(bindings);
  cache.set(bindings, settings);
  return settings;
}
