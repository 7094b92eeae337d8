/**
 * Sessions over v2 (API-22, EV-37): the keys that events use, the sessions of a key, and the runs of a session, as far as the newest events
 * tell.
 */
import * as z from "zod";
import { currentCatalog } from "../../apps/catalog.ts";
import { readRuns } from "../../history/read.ts";
import { listSessionKeys, listSessions, sessionRuns } from "../../history/sessions.ts";
import { SESSION } from "../../limits.ts";
import { isoTime } from "../v1/time.ts";
import { operation, pageEnd } from "./operation.ts";
import { name, paging } from "./parameters.ts";
import { runJson, runReply } from "./run.ts";

const time = z.iso.datetime();
const { limit } = paging(SESSION.listed);

/** The calls. */
export const sessions = [
  operation({
    id: "listSessionKeys",
    method: "GET",
    path: "/sessions",
    summary: `The keys of sessions in the newest ${SESSION.events} events, most recently seen first.`,
    parameters: { limit },
    paged: true,
    data: z.array(z.object({ key: z.string(), sessionCount: z.int(), lastSeenAt: time })),
    handler: async ({ bindings, environment }, { limit }) => {
      const keys = await listSessionKeys(bindings.DB, environment.id, limit);
      const data = keys.map(({ key, sessions, seenAt }) => ({
        key,
        sessionCount: sessions,
        lastSeenAt: isoTime(seenAt),
      }));
      return { data, page: pageEnd(limit, null) };
    },
  }),
  operation({
    id: "listSessions",
    method: "GET",
    path: "/sessions/:key",
    summary: `The sessions of a key in the newest ${SESSION.events} events, most recently seen first.`,
    parameters: { key: name, limit },
    paged: true,
    data: z.array(
      z.object({ key: z.string(), id: z.string(), eventCount: z.int(), startedAt: time, lastSeenAt: time }),
    ),
    handler: async ({ bindings, environment }, { key, limit }) => {
      const found = await listSessions(bindings.DB, environment.id, key, limit);
      const data = found.map(({ id, events, beganAt, seenAt }) => {
        return { key, id, eventCount: events, startedAt: isoTime(beganAt), lastSeenAt: isoTime(seenAt) };
      });
      return { data, page: pageEnd(limit, null) };
    },
  }),
  operation({
    id: "listSessionRuns",
    method: "GET",
    path: "/sessions/:key/:id/runs",
    summary: "The runs that a session's events started, newest first.",
    parameters: { key: name, id: name, ...paging() },
    paged: true,
    data: z.array(runReply),
    handler: async ({ bindings, environment, now }, { key, id, limit, cursor }) => {
      const session = { key, id };
      const ids = await sessionRuns(bindings.DB, environment.id, session, { cursor, limit: limit + 1 });
      const shown = ids.slice(0, limit);
      const runs = await readRuns(bindings, environment.id, shown);
      const catalog = await currentCatalog(bindings, environment.id, now);
      const data = runs.map((run) => runJson(run, catalog, { output: true }));
      return { data, page: pageEnd(limit, ids.length > limit ? (shown.at(-1) ?? null) : null) };
    },
  }),
];
