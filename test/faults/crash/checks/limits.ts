/**
 * I3: no limit is exceeded. What executes is taken from the app's record: a body goes on when the engine that called it is killed, and it
 * counts until it ends. Rates are taken from the times of runs; a start that was granted before a kill may happen after it, hence the slack.
 */
import { EXPECTED, KEYS, LIMITS, limitOf } from "../plan.ts";
import { type Campaign, Check, groupBy, runsOf, type Verdict } from "./check.ts";

/** ms by which a start may come later than it was granted: the engine was down, and its line told it again. */
const SLACK = 4_000;

/** All verdicts on I3. */
export function checkLimits(campaign: Campaign): Verdict[] {
  return [
    concurrency(campaign),
    throttle(campaign),
    rate(campaign),
    singleton(campaign),
    batches(campaign),
    debounced(campaign),
  ];
}

function concurrency({ notes }: Campaign): Verdict {
  const check = new Check("I3", "each moment a limited body begins: no more at once than the limit");
  const ends = new Map(notes.flatMap((note) => (note.is === "ended" ? [[note.value, note.at] as const] : [])));
  const bodies = notes.flatMap((note) =>
    note.is === "began"
      ? note.holds.map((held) => ({ held, from: note.at, until: ends.get(note.value) ?? Infinity }))
      : [],
  );
  for (const [held, spans] of groupBy(bodies, ({ held }) => held)) {
    for (const { from } of spans) {
      const inside = spans.filter((span) => span.from <= from && from < span.until).length;
      check.look(inside <= limitOf(held), () => `${held}: ${inside} at ${new Date(from).toISOString()}`);
    }
  }
  return check.verdict();
}

/** At most `burst` at once, and then one per `every` ms. */
function rateHolds(check: Check, times: readonly number[], burst: number, every: number): void {
  const inOrder = times.toSorted((a, b) => a - b);
  for (const [first, from] of inOrder.entries()) {
    for (const [last, until] of inOrder.entries()) {
      if (last < first) continue;
      const most = burst + (until - from + SLACK) / every;
      const found = last - first + 1;
      check.look(found <= most, () => `${found} starts from ${new Date(from).toISOString()} in ${until - from} ms`);
    }
  }
}

function throttle(campaign: Campaign): Verdict {
  const check = new Check("I3", "each span of time: no more starts than the throttle allows");
  const starts = runsOf(campaign, "throttled").map(({ run_started_at }) => Date.parse(run_started_at ?? ""));
  const { limit, period } = LIMITS.throttle;
  rateHolds(check, starts, 1, (period * 1000) / limit);
  return check.verdict();
}

function rate(campaign: Campaign): Verdict {
  const check = new Check("I3", "each span of time and key: no more runs than the rate limit allows");
  const { limit, period } = LIMITS.rate;
  for (const key of KEYS) {
    const runs = runsOf(campaign, "rated").filter(
      ({ status, run_id }) => status !== "Skipped" && keyOf(campaign, run_id) === key,
    );
    rateHolds(
      check,
      runs.map(({ queued_at }) => Date.parse(queued_at)),
      limit,
      (period * 1000) / limit,
    );
  }
  return check.verdict();
}

function singleton(campaign: Campaign): Verdict {
  const check = new Check("I3", "each run of a singleton: begins after the one before has ended");
  const runs = runsOf(campaign, "single").filter(({ status }) => status !== "Skipped");
  for (const ofKey of groupBy(runs, ({ run_id }) => keyOf(campaign, run_id)).values()) {
    const inOrder = ofKey.toSorted((a, b) => Date.parse(a.run_started_at ?? "") - Date.parse(b.run_started_at ?? ""));
    for (const [n, run] of inOrder.entries()) {
      const before = inOrder[n - 1];
      if (before === undefined) continue;
      const right = Date.parse(run.run_started_at ?? "") >= Date.parse(before.ended_at ?? "");
      check.look(right, () => `${run.run_id} began before ${before.run_id} had ended`);
    }
  }
  return check.verdict();
}

function batches(campaign: Campaign): Verdict {
  const check = new Check("I3", "each batch: no larger than it may be, with the same events in every call");
  const calls = campaign.notes.filter((note) => note.is === "called");
  const given = groupBy(calls, ({ run }) => run);
  for (const { run_id, event_ids } of runsOf(campaign, "batched")) {
    const sets = new Set((given.get(run_id) ?? []).map((note) => (note.is === "called" ? note.keys.join(" ") : "")));
    const right = event_ids.length <= LIMITS.batch.maxSize && sets.size === 1;
    check.look(right, () => `${run_id}: ${event_ids.length} events, ${sets.size} versions`);
  }
  return check.verdict();
}

/** Events of one key were sent one after the other: the last one that a window took is the one that runs. */
function debounced({ events, sent, views }: Campaign): Verdict {
  const check = new Check("I3", "each debounce window: its last event runs");
  const byId = groupBy(events, ({ id }) => id);
  const last = new Map<string, string>();
  for (const { id } of sent.filter(({ fn }) => EXPECTED.get(fn)?.gathers === "debounce")) {
    const run = byId.get(id)?.flatMap(({ outcomes }) => outcomes)[0]?.run_id;
    if (run != null) last.set(run, id);
  }
  for (const [runId, id] of last) {
    const internal = new Set(byId.get(id)?.map(({ internal_id }) => internal_id));
    const ran = views.get(runId)?.event_id ?? "";
    check.look(internal.has(ran), () => `${runId}: ran with ${ran}, not with ${id}`);
  }
  return check.verdict();
}

/** `data.k` of a run's event. */
function keyOf({ events, sent, views }: Campaign, runId: string): string {
  const id = views.get(runId)?.event_id;
  const key = events.find(({ internal_id }) => internal_id === id)?.id;
  return sent.find((event) => event.id === key)?.data.k ?? "";
}
