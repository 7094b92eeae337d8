/**
 * `npm run crash`: a long campaign, its table, and its outcome as JSON in dist/crash.json. `CRASH_KILLS` (200) and `CRASH_SEED` (1) choose
 * it. Exits with 1 when an invariant was broken, or when a check found nothing to look at.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { playCampaign } from "./campaign.ts";
import { summaryOf } from "./summary.ts";

const number = (name: string, otherwise: number): number => {
  const given = Number(process.env[name] ?? otherwise);
  if (!Number.isInteger(given) || given < 1) throw new Error(`${name} must be a whole number above 0`);
  return given;
};

const outcome = await playCampaign({
  kills: number("CRASH_KILLS", 200),
  seed: number("CRASH_SEED", 1),
  patience: 240_000,
  onKill: (kills) => {
    if (kills % 20 === 0) console.log(`${kills} kills`);
  },
});
const dist = resolve(import.meta.dirname, "../../../dist");
await mkdir(dist, { recursive: true });
await writeFile(`${dist}/crash.json`, `${JSON.stringify(outcome, null, 2)}\n`);
console.log(`\n${summaryOf(outcome)}`);
process.exitCode = outcome.verdicts.every(({ looked, violations }) => looked > 0 && violations.length === 0) ? 0 : 1;
