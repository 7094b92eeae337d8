/**
 * Row 16 of the fault matrix: the app did the work, and its reply is lost. A real SDK app behind a proxy that waits until the app has answered
 * and then drops, resets or cuts the reply to the n-th call of a run; every run has another n.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { type App, requestSync } from "../../conformance/harness/app.ts";
import { startTestEngine, type TestEngine } from "../../conformance/harness/engine.ts";
import { type OpenScenario, openScenario, type Scenario, type Variant } from "../../conformance/harness/scenario.ts";
import type { RawRequest } from "./raw-server.ts";
import { engineLog } from "./table.ts";
import { cut, type Deed, drop, pass, reset, startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

const DEEDS = { drop, reset, "cut in the head": cut(0.1), "cut at the end": cut(0.98) } as const;
type DeedName = keyof typeof DEEDS;

/** Calls that are harmed, one per run; a run of the SDK without checkpoints needs eight or nine. */
const CALLS = 9;
/** ms that all runs of one SDK may take together. */
const PATIENCE = 90_000;

const log = engineLog();
let engine: TestEngine;
const open: OpenScenario[] = [];
const proxies: TcpProxy[] = [];

beforeAll(async () => {
  engine = await startTestEngine({ onLine: log.onLine });
});

afterAll(async () => {
  for (const { close } of open) await close();
  for (const proxy of proxies) await proxy.close();
  await engine?.stop();
});

const callSchema = z.object({
  event: z.object({ data: z.object({ key: z.string(), deed: z.string(), at: z.number() }) }),
});

/** One harmed run. */
interface Plan {
  readonly key: string;
  readonly deed: DeedName;
  /** Which of its calls is harmed, from 1. */
  readonly at: number;
}

/** The deed of a plan at its call, and nothing else. */
function deedsOf(): (call: RawRequest) => Deed {
  const calls = new Map<string, number>();
  return ({ body }) => {
    const { key, deed, at } = callSchema.parse(JSON.parse(body.toString("utf8"))).event.data;
    const number = (calls.get(key) ?? 0) + 1;
    calls.set(key, number);
    return number === at ? (DEEDS[deed as DeedName] ?? pass) : pass; // the plans below name deeds
  };
}

/** A function whose every step says which of its executions it is. */
function work({ fn, on, mark, marks }: Scenario) {
  return fn({ id: "work", retries: 3 }, on("go"), async ({ event, step }) => {
    const { key } = event.data as unknown as Plan; // sent below
    const body = (id: string) => () => {
      mark(`${key} ${id}.`);
      return `${id}${marks(`${key} ${id}.`).length}`;
    };
    const a = await step.run("a", body("a"));
    const [b, c] = await Promise.all([step.run("b", body("b")), step.run("c", body("c"))]);
    await step.sleep("nap", "1s");
    const seen = await step.run("d", () => [a, b, c, body("d")()]);
    return { seen, now: [a, b, c] };
  });
}

async function behindProxy(scenario: Scenario): Promise<{ app: App; proxy: TcpProxy }> {
  const app = await scenario.app([work(scenario)], { sync: false });
  const proxy = await startTcpProxy(app.port, deedsOf());
  proxies.push(proxy);
  const synced = await requestSync(app.url.replace(String(app.port), String(proxy.port)));
  expect(synced, synced.message).toMatchObject({ status: 200 });
  return { app, proxy };
}

const outputSchema = z.object({ seen: z.array(z.string()), now: z.array(z.string()) });

describe("row 16: the reply is lost after the work was done", () => {
  const variants: readonly Variant[] = ["v4", "v4-checkpointed"];
  it.concurrent.each(variants)(
    "row 16: whichever reply is lost, steps run again at most once and are recorded once (EX-4, EX-10, EX-66, I1, I2) (%s)",
    async (variant) => {
      const opened = openScenario(engine, "row-16", variant);
      open.push(opened);
      const { scenario } = opened;
      const { proxy } = await behindProxy(scenario);
      const deeds = Object.keys(DEEDS) as DeedName[]; // keys of a constant
      const plans = deeds.flatMap((deed) =>
        Array.from({ length: CALLS }, (_, n): Plan => ({ key: `${deed} ${n + 1}`, deed, at: n + 1 })),
      );
      const ids = await scenario.send(plans.map((data) => ({ name: scenario.on("go"), data })));
      let repeated = 0;
      for (const [n, { key }] of plans.entries()) {
        const [run] = await engine.ended(ids[n] ?? "", 1, PATIENCE);
        expect(run?.status, `${key}: ${JSON.stringify(run?.output)}`).toBe("Completed");
        const { seen, now } = outputSchema.parse(run?.output);
        // What a step saw of the others is what the end saw of them: a recorded result never changes.
        expect(seen.slice(0, 3), key).toEqual(now);
        const executions = scenario.names(`${key} `);
        expect(new Set(executions).size, key).toBe(4);
        // One lost reply repeats the steps of one call, each once.
        const twice = executions.length - 4;
        expect(twice, `${key}: ${executions.join()}`).toBeLessThanOrEqual(variant === "v4" ? 1 : 3);
        for (const result of seen) expect(result, key).toMatch(/^[abcd][12]$/);
        if (variant === "v4")
          expect(
            seen.filter((result) => result.endsWith("2")),
            key,
          ).toHaveLength(twice);
        repeated += twice;
        const { json } = await engine.api("GET", `/v0/runs/${run?.run_id}/actions`);
        expect(Object.keys(z.record(z.string(), z.unknown()).parse(json)), key).toHaveLength(5);
      }
      expect(proxy.harmed()).toBeGreaterThanOrEqual(deeds.length * (variant === "v4" ? 6 : 2));
      // The proxy waited for the app's work: a test in which nothing was repeated would show nothing.
      if (variant === "v4") expect(repeated).toBeGreaterThanOrEqual(deeds.length * 4);
    },
    PATIENCE + 10_000,
  );

  it("SE-15: the engine logged no failure of its own", () => {
    expect(log.failures()).toEqual([]);
  });
});
