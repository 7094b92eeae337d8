/**
 * `GET /`: what happened lately, as one plain page, until the dashboard is installed. In dev mode it lists runs and events with links
 * to their JSON; in cloud mode, where nobody has signed in, it says nothing but the name (SE-21).
 * Guarantees that data is shown as text only: every value passes through `html`, which escapes it, and the page may run no script (SE-19).
 */
import { type Context, Hono } from "hono";
import { html } from "hono/html";
import type { EnvironmentRef } from "../environments/environment.ts";
import { environmentOf } from "../environments/environment.ts";
import type { EventOutcome } from "../events/event.ts";
import type { RunRow, StoredEvent } from "../history/message.ts";
import { HOME } from "../limits.ts";
import { listEvents } from "../search/events.ts";
import { listRuns } from "../search/runs.ts";
import type { Api } from "./api.ts";
import { database } from "./database.ts";
import { withPages } from "./pages.ts";
import { STATUS_WORDS } from "./v1/run.ts";
import { isoTime } from "./v1/time.ts";

/** The route. */
export const home = new Hono<Api>();

home.get("/", withPages, database, async (context) => {
  const settings = context.get("settings");
  context.header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  context.header("x-content-type-options", "nosniff");
  context.header("referrer-policy", "no-referrer");
  switch (settings.mode) {
    case "cloud":
      return context.html(document(html`<h1>Millrace</h1>`, null));
    case "dev":
      return await overview(context, environmentOf(settings));
  }
});

async function overview(context: Context<Api>, environment: EnvironmentRef): Promise<Response> {
  const page = { limit: HOME.items, cursor: null };
  const [runs, events] = await Promise.all([
    listRuns(
      context.env.DB,
      environment.id,
      { statuses: [], appId: null, functionId: null, from: null, until: null, timeField: "queued_at" },
      page,
    ),
    listEvents(context.env.DB, environment.id, { name: null, receivedAfter: null, receivedBefore: null }, page),
  ]);
  const { origin } = new URL(context.req.url);
  const body = html`<h1>Millrace</h1>
    <p class="quiet">Environment ${environment.name}. This page loads itself again every ${HOME.refresh} seconds.</p>
    <h2>Runs</h2>
    ${runs.items.length === 0 ? html`<p>No run yet.</p>` : runTable(runs.items)}
    <h2>Events</h2>
    ${events.items.length === 0 ? hint(origin) : eventTable(events.items)}`;
  return context.html(document(body, HOME.refresh));
}

type Markup = ReturnType<typeof html>;

/** A whole page; it loads itself again every `refresh` seconds unless that is null. */
function document(body: Markup, refresh: number | null): Markup {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        ${refresh === null ? "" : html`<meta http-equiv="refresh" content="${refresh}" />`}
        <title>Millrace</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html>`;
}

function runTable(runs: readonly RunRow[]): Markup {
  return html`<table>
    <thead>
      <tr><th>Status</th><th>Function</th><th>Event</th><th>Queued</th><th>Took</th><th>Run</th></tr>
    </thead>
    <tbody>
      ${runs.map(
        (run) => html`<tr>
          <td><span class="status ${run.status}">${STATUS_WORDS[run.status]}</span></td>
          <td>${run.functionSlug}</td>
          <td>${run.eventName}</td>
          <td>${time(run.queuedAt)}</td>
          <td>${took(run)}</td>
          <td><a href="/v1/runs/${run.runId}"><code>${run.runId}</code></a></td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

function eventTable(events: readonly StoredEvent[]): Markup {
  return html`<table>
    <thead>
      <tr><th>Name</th><th>Received</th><th>Outcome</th><th>Source</th><th>Event</th></tr>
    </thead>
    <tbody>
      ${events.map(
        (stored) => html`<tr>
          <td>${stored.event.payload.name}</td>
          <td>${time(stored.event.receivedAt)}</td>
          <td>${outcome(stored)}</td>
          <td>${stored.event.source}</td>
          <td>
            <a href="/v1/events/${stored.event.internalId}"><code>${stored.event.internalId}</code></a>
          </td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

function hint(origin: string): Markup {
  const command = `curl ${origin}/e/dev -d '{"name":"app/hello","data":{"greeting":"hi"}}'`;
  return html`<p>No event yet. Send the first one:</p>
    <pre>${command}</pre>
    <p>Functions appear when their app has registered: start it with <code>INNGEST_DEV=${origin}</code>.</p>`;
}

function time(moment: number): Markup {
  const iso = isoTime(moment);
  return html`<time datetime="${iso}">${iso.replace("T", " ").replace("Z", "")}</time>`;
}

function took({ startedAt, endedAt }: RunRow): string {
  return startedAt === null || endedAt === null ? "" : `${endedAt - startedAt} ms`;
}

/** What became of an event, in a few words (EV-12). */
function outcome({ outcomes, duplicate, routed }: StoredEvent): string {
  if (!routed) return "being routed";
  if (duplicate) return "duplicate";
  if (outcomes.length === 0) return "nothing matched";
  return outcomes.map(outcomeWords).join(", ");
}

function outcomeWords(outcome: EventOutcome): string {
  switch (outcome.outcome) {
    case "started":
    case "batched":
    case "debounced":
      return `${outcome.outcome} ${outcome.functionSlug}`;
    case "skipped":
      return `skipped ${outcome.functionSlug}: ${outcome.reason}`;
    case "expression_error":
      return `expression error in ${outcome.functionSlug}: ${outcome.reason}`;
  }
}

const STYLE = html`
  :root { color-scheme: light dark; --line: #d8d8d4; --quiet: #6b6b66; --text: #1d1d1b; --ground: #fbfbf9; --link: #1b5fa8; }
  @media (prefers-color-scheme: dark) {
    :root { --line: #3a3a38; --quiet: #9b9b95; --text: #e8e8e4; --ground: #181817; --link: #86b7ee; }
  }
  body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
  main { max-width: 76rem; margin: 0 auto; padding: 1.5rem; }
  h1 { font-size: 1.4rem; margin: 0; }
  h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
  .quiet { color: var(--quiet); margin: .2rem 0 0; }
  a { color: var(--link); }
  pre { border: 1px solid var(--line); border-radius: 4px; padding: .7rem; overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto; }
  th, td { text-align: left; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); }
  th { color: var(--quiet); font-weight: 500; }
  td { max-width: 24rem; overflow-wrap: anywhere; }
  td:last-child, time { white-space: nowrap; }
  .status { font-weight: 600; }
  .completed { color: #22863a; } .failed { color: #cb2431; } .running { color: #b08800; }
  .cancelled, .skipped, .queued { color: var(--quiet); }
`;
