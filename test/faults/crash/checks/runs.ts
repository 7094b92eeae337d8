/**
 * I1: every accepted event has exactly one run per function it starts, and that run ended as it should; so has everything that runs started
 * themselves: children, sent events, failure handlers, ticks, reruns.
 */
import { EXPECTED, functionOf, slugOf } from "../plan.ts";
import { type Campaign, Check, groupBy, runsOf, type Verdict } from "./check.ts";

const MINUTE = 60_000;

/** All verdicts on I1. */
export function checkRuns(campaign: Campaign): Verdict[] {
  return [events(campaign), children(campaign), failures(campaign), ticks(campaign), reruns(campaign)];
}

/** One event is all internal events with the sender's id: a repetition that was answered may be another one. */
function events({ events, views, sent, notes }: Campaign): Verdict {
  const check = new Check("I1", "each accepted event: one run, which ended as it should");
  const byId = groupBy(events, ({ name, id }) => `${name} ${id}`);
  const handed = notes.filter((note) => note.is === "saw" && note.fn === "sender" && note.step === "b");
  const keysOfRuns = new Map(
    notes.flatMap((note) => (note.is === "called" ? [[note.run, note.keys[0] ?? ""] as const] : [])),
  );
  const relayed = [...new Set(handed.map(({ run }) => `${keysOfRuns.get(run)}-sent`))];
  const wanted = [
    ...sent.map(({ name, id }) => ({ name, id })),
    ...relayed.map((id) => ({ name: "crash/receiver", id })),
  ];
  const runsByEvent = groupBy(
    [...views.values()].flatMap((run) =>
      run.original_run_id === null ? run.event_ids.map((id) => ({ id, run })) : [],
    ),
    ({ id }) => id,
  );
  for (const { name, id } of wanted) {
    const fn = functionOf(name);
    const expected = EXPECTED.get(fn ?? "");
    const group = byId.get(`${name} ${id}`) ?? [];
    if (fn === null || expected === undefined) throw new Error(`Nobody expects ${name}`);
    const slug = slugOf(fn);
    const outcomes = group
      .flatMap(({ outcomes }) => outcomes)
      .filter(({ function_slug, reason }) => function_slug === slug && reason !== "duplicate_event");
    const said = [...new Set(outcomes.map(({ outcome, reason, run_id }) => `${outcome} ${reason} ${run_id}`))];
    check.look(said.length === 1, () => `${id}: became ${said.join(" and ") || "nothing"} (${group.length} stored)`);
    const [outcome] = outcomes;
    if (outcome === undefined || said.length !== 1) continue;
    if (outcome.outcome === "skipped") {
      check.look(outcome.reason === expected.skips, () => `${id}: was skipped: ${outcome.reason}`);
      continue;
    }
    const run = views.get(outcome.run_id ?? "");
    const right = expected.statuses.some((status) => status === run?.status);
    check.look(right, () => `${id}: its run ${outcome.run_id} is ${run?.status ?? "unknown"}`);
    if (expected.gathers === "debounce") continue;
    const runs = new Set(
      group
        .flatMap(({ internal_id }) => runsByEvent.get(internal_id) ?? [])
        .filter(({ run }) => run.function_slug === slug && run.status !== "Skipped")
        .map(({ run }) => run.run_id),
    );
    check.look(runs.size === 1, () => `${id}: started ${runs.size} runs: ${[...runs].join(", ")}`);
  }
  return check.verdict();
}

function children(campaign: Campaign): Verdict {
  const check = new Check("I1", "each invocation: one child, whose output its parent has");
  const calls = campaign.notes.filter((note) => note.is === "called" && note.fn === "child");
  const byKey = groupBy(calls, (note) => (note.is === "called" ? (note.keys[0] ?? "") : ""));
  for (const parent of runsOf(campaign, "parent")) {
    const called = campaign.notes.find((note) => note.is === "called" && note.run === parent.run_id);
    const key = called?.is === "called" ? `${called.keys[0]}-child` : "";
    const ids = [...new Set((byKey.get(key) ?? []).map(({ run }) => run))];
    const [id = ""] = ids;
    check.look(ids.length === 1, () => `${parent.run_id}: has ${ids.length} children`);
    const given = outputOf(parent.output)["child"];
    const child = campaign.views.get(id);
    check.look(given === child?.output, () => `${parent.run_id}: has another result than its child ${id}`);
  }
  return check.verdict();
}

function failures(campaign: Campaign): Verdict {
  const check = new Check("I1", "each failed run: one run of its failure handler");
  const told = campaign.notes.filter((note) => note.is === "called" && note.fn === "fails-failure");
  const byRun = groupBy(told, (note) => (note.is === "called" ? (note.about ?? "") : ""));
  for (const { run_id } of runsOf(campaign, "fails")) {
    const handlers = new Set((byRun.get(run_id) ?? []).map(({ run }) => run));
    check.look(handlers.size === 1, () => `${run_id}: its failure handler ran ${handlers.size} times`);
  }
  return check.verdict();
}

/** Also while the engine was down over the full minute: it is back within seconds. */
function ticks(campaign: Campaign): Verdict {
  const check = new Check("I1", "each full minute: one run of the cron");
  const minuteOf = (time: string) => String(Math.floor(Date.parse(time) / MINUTE) * MINUTE);
  const runs = groupBy(runsOf(campaign, "ticks"), ({ queued_at }) => minuteOf(queued_at));
  for (let at = Math.ceil(campaign.from / MINUTE) * MINUTE; at < campaign.until; at += MINUTE) {
    const found = runs.get(String(at)) ?? [];
    const right = found.length === 1 && found[0]?.status === "Completed";
    check.look(
      right,
      () => `${new Date(at).toISOString()}: ${found.map(({ status }) => status).join(", ") || "no run"}`,
    );
  }
  return check.verdict();
}

function reruns({ reruns, views }: Campaign): Verdict {
  const check = new Check("I1", "each request to run again: one run, which ended");
  const byOriginal = groupBy(views.values(), (run) => String(run.original_run_id));
  for (const { request, original, run } of reruns) {
    const again = byOriginal.get(original) ?? [];
    const right = again.length === 1 && again[0]?.run_id === run && again[0].status === "Completed";
    check.look(
      right,
      () => `${request}: ${again.map(({ run_id, status }) => `${run_id} ${status}`).join(", ") || "nothing"}`,
    );
  }
  return check.verdict();
}

/** The results a function of the workload returned; nothing for other outputs. */
export function outputOf(output: unknown): Readonly<Record<string, unknown>> {
  if (typeof output !== "string") return {};
  const parsed: unknown = JSON.parse(output);
  return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
}
