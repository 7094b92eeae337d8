/**
 * Removing what is past its retention (OB-23, OB-24), a page at a time. Owns when a row may go and in what portions: D1 does one thing at a
 * time, so that no statement may take long.
 * Guarantees that a run's object is gone before its row is, so that what an object did not remove by its own alarm is not forgotten.
 */
import type { Bindings } from "../bindings.ts";
import { countD1 } from "../counters.ts";
import { portionsOf } from "../decide/sweep/portions.ts";
import { forgetErased } from "../history/erased.ts";
import { pageOfEvents, pageOfRuns, removeEvents, removeRecords, removeRuns, type Stretch } from "../history/expired.ts";
import { encodeUlid } from "../ids.ts";
import { DELETION, EVENT, HISTORY, METRICS, RETENTION } from "../limits.ts";
import { expireModels } from "../metrics/models.ts";
import { expireMetrics } from "../metrics/statements.ts";
import { askRun } from "../runs/ask.ts";
import { settingsOf } from "../settings.ts";
import { expireDeliveries } from "../webhooks/deliveries.ts";
import { askEach } from "./asking.ts";

/** A table that is passed over in stretches: goes through a page of it and gives the ids the page had, in their order. */
export type Pass = (bindings: Bindings, environmentId: string, stretch: Stretch, now: number) => Promise<string[]>;

/** Removes the runs of a page that ended long enough before `now` (ms), each with its object. */
export const passRuns: Pass = async (bindings, environmentId, stretch, now) => {
  const before = now - settingsOf(bindings).retention;
  const page = await pageOfRuns(bindings.DB, environmentId, stretch);
  const over = page.filter(({ endedAt }) => endedAt !== null && endedAt < before);
  const answers = await askEach(
    over,
    ({ id }) => `run ${id}`,
    // A skipped run never had an object.
    async ({ id, status }) =>
      status === "skipped" || (await askRun(bindings, environmentId, id, (run) => run.expire())),
  );
  const gone = over.filter((_, i) => answers[i] === true);
  for (const portion of portionsOf(gone, ({ size }) => size ?? HISTORY.rowBytes)) {
    await removeRuns(bindings.DB, environmentId, idsOf(portion), before);
  }
  return idsOf(page);
};

/** Removes the events of a page that were received long enough before `now` (ms), unless one of their runs is left. */
export const passEvents: Pass = async (bindings, environmentId, stretch, now) => {
  const time = now - settingsOf(bindings).retention;
  const page = await pageOfEvents(bindings.DB, environmentId, stretch, { time, gathered: now - RETENTION.gathering });
  const over = page.filter((event) => event.over === 1);
  // A payload that is in parts has at most the bytes of an event.
  for (const portion of portionsOf(over, ({ size }) => size ?? EVENT.bytes.max)) {
    await removeEvents(bindings.DB, environmentId, idsOf(portion));
  }
  return idsOf(page);
};

/** Removes syncs, operations, counts, failed deliveries of webhooks and the ids of what was deleted that are older than they are kept. */
export async function expireRecords(bindings: Bindings, environmentId: string, now: number): Promise<void> {
  await removeRecords(bindings.DB, environmentId, encodeUlid(Math.max(now - RETENTION.records, 0), NO_ENTROPY));
  await forgetErased(bindings.DB, environmentId, now - DELETION.remembered);
  countD1((await expireDeliveries(bindings.DB, environmentId, now).run()).meta);
  for (const expire of [expireMetrics, expireModels]) {
    countD1((await expire(bindings.DB, environmentId, now - METRICS.retention).run()).meta);
  }
}

const NO_ENTROPY = new Uint8Array(10);
/** Above every ULID. */
const LAST = "~";

/** Ids whose rows may be past their retention at `now` (ms), above `cursor`. */
export function expiredIds(bindings: Bindings, cursor: string, now: number): Stretch {
  const time = now - settingsOf(bindings).retention - RETENTION.behind;
  return { after: cursor, until: encodeUlid(Math.max(time, 0), NO_ENTROPY) };
}

/** Ids made from seeds whose time is far ahead, above `cursor`: there are none as a rule. */
export function idsAhead(_: Bindings, cursor: string, now: number): Stretch {
  const from = encodeUlid(now + RETENTION.ahead, NO_ENTROPY);
  return { after: cursor < from ? from : cursor, until: LAST };
}

function idsOf(rows: readonly { readonly id: string }[]): string[] {
  return rows.map(({ id }) => id);
}
