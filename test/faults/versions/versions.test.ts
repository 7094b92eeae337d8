/**
 * Two versions of the engine on one directory, in turns (faults.md §4, row 18): a deployment in the middle of runs, and its rollback, again
 * and again. The next version is this one with a field more in everything it stores or says (`next-engine.ts`). What one of them began the
 * other has to go on with, under every feature, and every check of the crash campaign has to hold.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildWorker, startEngine } from "../../../cli/engine.ts";
import { temporaryState } from "../../../cli/state.ts";
import { type Outcome, playCampaign } from "../crash/campaign.ts";
import { inDatabase, objectFile } from "../state-files.ts";
import { buildNextEngine } from "./next-engine.ts";

/** ms; a call that a change of versions interrupted is made again after 10 s, and under a limit 5 s later. */
const PATIENCE = 60_000;

const runtime = { type: "http", url: "http://127.0.0.1:9/api/inngest?fnId=next-fn&stepId=step" };
const aFunction = {
  id: "next-fn",
  name: "fn",
  triggers: [{ event: "next/begin" }],
  steps: { step: { id: "step", name: "step", runtime } },
};

let next: Awaited<ReturnType<typeof buildNextEngine>>;
let outcome: Outcome;

beforeAll(async () => {
  const bundle = await buildWorker();
  next = await buildNextEngine(bundle);
  outcome = await playCampaign({
    kills: 5,
    seed: 18,
    life: [700, 1500],
    patience: PATIENCE,
    bundles: [bundle, next.dir],
  });
}, 2 * PATIENCE);

afterAll(async () => {
  await next?.remove();
});

describe("the next version", () => {
  test("row 18: stores what this one does not know, in rows and in tables", async () => {
    const state = await temporaryState();
    const bindings = { MILLRACE_MODE: "dev" };
    const engine = await startEngine({ port: 0, persistDir: state.dir, bindings, bundleDir: next.dir, quiet: true });
    try {
      const body = { url: "http://127.0.0.1:9/api/inngest", appName: "next", functions: [aFunction] };
      const registration = { ...body, sdk: "js:v4.24.0", framework: "none", deployType: "ping", v: "0.1" };
      for (const [path, sent] of [
        ["/fn/register", registration],
        ["/e/test", { name: "next/begin", data: {} }],
      ] as const) {
        const reply = await fetch(`${engine.url}${path}`, { method: "POST", body: JSON.stringify(sent) });
        expect(reply.status, await reply.text()).toBe(200);
      }
    } finally {
      await engine.stop();
    }
    const file = await objectFile(state.dir, "Run", "log", "fromTheNextVersion");
    const columns = inDatabase(file, (database) => database.prepare("SELECT name FROM pragma_table_info('log')").all());
    expect(columns).toContainEqual({ name: "from_the_next_version" });
    await state.release();
  });
});

describe("a directory that two versions of the engine work on in turns", () => {
  for (const [invariants, what] of [
    [["I1", "I4"], "every accepted event has exactly one run per function, and it ended"],
    [["I2"], "no result is recorded twice, lost, or changed"],
    [["I3", "I5"], "no limit is exceeded, and nothing is held at rest"],
    [["I6", "I7"], "lists show what each run shows of itself, and nothing is over early"],
  ] as const) {
    test(`row 18, ${invariants.join(", ")}: ${what}`, () => {
      const verdicts = outcome.verdicts.filter(({ invariant }) => invariants.some((one) => one === invariant));
      expect(verdicts.reduce((sum, { looked }) => sum + looked, 0)).toBeGreaterThan(0);
      expect(verdicts.flatMap(({ what, violations }) => violations.map((one) => `${what} – ${one}`))).toEqual([]);
    });
  }
});
