/**
 * A run as v2 shows it (protocol/11 §11.3). Pure. Owns the JSON shape and the words for its status; what a run has not reached is absent.
 */
import * as z from "zod";
import type { Catalog } from "../../apps/catalog-index.ts";
import { CAUSES } from "../../decide/run/flow.ts";
import type { RunRow, RunStatus } from "../../history/message.ts";
import { anyJson } from "../../protocol/any-json.ts";
import { isoTime } from "../v1/time.ts";

const time = z.iso.datetime();

const STATUSES = {
  queued: "QUEUED",
  running: "RUNNING",
  completed: "COMPLETED",
  failed: "FAILED",
  cancelled: "CANCELLED",
  skipped: "SKIPPED",
} as const satisfies Record<RunStatus, string>;

/** Statuses by their words, those of v1 included. */
export const STATUS_BY_WORD: ReadonlyMap<string, RunStatus> = new Map<string, RunStatus>([
  // `Object.entries` forgets that the keys of a record over statuses are statuses.
  ...Object.entries(STATUSES).map(([status, word]) => [word, status as RunStatus] as const),
  ["SCHEDULED", "queued"],
]);

/** The form of a run. */
export const runReply = z
  .object({
    id: z.string(),
    function: z.object({ id: z.string(), slug: z.string(), name: z.string().optional(), version: z.int() }),
    app: z.object({ id: z.string(), name: z.string().optional() }),
    status: z.enum(STATUSES),
    queuedAt: time,
    startedAt: time.optional(),
    endedAt: time.optional(),
    durationMs: z.number().optional(),
    trigger: z.object({
      eventIds: z.array(z.string()),
      eventName: z.string(),
      isBatch: z.boolean(),
      cronSchedule: z.string().optional(),
    }),
    output: anyJson.optional(),
    originalRunId: z.string().optional(),
    replayId: z.string().optional(),
    parentRunId: z.string().optional(),
    isDeferred: z.boolean(),
    cancelReason: z.enum(CAUSES).optional(),
    skipReason: z.string().optional(),
  })
  .meta({ id: "Run" });

/** The run; the catalog knows the names of its function and app. */
export function runJson(run: RunRow, catalog: Catalog, { output }: { readonly output: boolean }) {
  const { startedAt, endedAt } = run;
  const registered = catalog.functionById(run.functionId);
  const app = catalog.app(run.appId);
  return {
    id: run.runId,
    function: {
      id: run.functionId,
      slug: run.functionSlug,
      ...given({ name: registered?.name ?? null }),
      version: run.functionVersion,
    },
    app: { id: run.appId, ...given({ name: app?.name ?? null }) },
    status: STATUSES[run.status],
    queuedAt: isoTime(run.queuedAt),
    ...given({
      startedAt: startedAt === null ? null : isoTime(startedAt),
      endedAt: endedAt === null ? null : isoTime(endedAt),
      durationMs: startedAt === null || endedAt === null ? null : endedAt - startedAt,
    }),
    trigger: {
      eventIds: [...run.eventIds],
      eventName: run.eventName,
      isBatch: run.eventIds.length > 1,
      ...given({ cronSchedule: run.cron }),
    },
    ...(output && endedAt !== null ? { output: run.output } : {}),
    ...given({
      originalRunId: run.originalRunId,
      replayId: run.replayId,
      parentRunId: run.parentRunId,
      cancelReason: run.cancelReason === null ? null : CAUSES[run.cancelReason.by],
      skipReason: run.skipReason,
    }),
    isDeferred: run.eventName === "inngest/deferred.schedule",
  };
}

type Given<Fields> = { [Name in keyof Fields]?: NonNullable<Fields[Name]> };

/** The fields that are not null. */
function given<Fields extends Record<string, string | number | null>>(fields: Fields): Given<Fields> {
  // What is left is not null, which `fromEntries` cannot say.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as Given<Fields>;
}
