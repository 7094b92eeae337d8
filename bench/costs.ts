/**
 * What a run costs in the units of the bill. The engine counts for itself in dev mode (`GET /dev/counts`); the app counts its calls;
 * fsyncs are counted from outside where the system lets us. None of these figures depends on the speed of the machine.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { repeat } from "./driver.ts";
import { countFsyncs } from "./fsyncs.ts";
import type { Ledger } from "./ledger.ts";
import type { Send } from "./subject.ts";

const countsSchema = z.record(z.string(), z.number());

/** Units per run: the engine's counters by their names, `appCalls`, and `fsyncs` where they can be counted. */
export type Costs = Readonly<Record<string, number>>;

/** ms between two looks at the counters. */
const LOOK = 500;
/** Equal looks in a row after which everything has arrived: history travels in batches of up to a second. */
const QUIET = 5;
/** Looks in all. */
const LOOKS = 40;

/** Costs of each of `runs` runs, history included; null when the engine does not count. */
export async function costs(
  engine: { readonly url: string; pid(): number },
  ledger: Ledger,
  send: Send,
  runs: number,
): Promise<Costs | null> {
  const before = await settled(engine.url);
  if (before === null) return null;
  const callsBefore = ledger.calls;
  const fsyncs = await countFsyncs(engine.pid());
  await repeat(runs, Number.POSITIVE_INFINITY, async () => {
    const { run, finished } = ledger.expect();
    await send(run);
    await finished;
  });
  const after = await settled(engine.url);
  const total: Record<string, number> = { appCalls: ledger.calls - callsBefore };
  for (const [name, count] of Object.entries(after ?? {})) {
    // The app's own count of its calls is the honest one.
    if (name !== "calls") total[name] = count - (before[name] ?? 0);
  }
  const synced = await fsyncs?.stop();
  if (synced !== undefined) total["fsyncs"] = synced;
  return Object.fromEntries(Object.entries(total).map(([name, count]) => [name, count / runs]));
}

/** The counters once they have come to rest. */
async function settled(url: string): Promise<Record<string, number> | null> {
  let last = "";
  let same = 0;
  for (let look = 0; look < LOOKS && same < QUIET; look++) {
    const response = await fetch(`${url}/dev/counts`);
    const text = await response.text();
    if (!response.ok) return null;
    same = text === last ? same + 1 : 0;
    last = text;
    await sleep(LOOK);
  }
  return countsSchema.parse(JSON.parse(last));
}
