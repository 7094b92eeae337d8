/**
 * Runs scenarios, which are data, as tests: each with every SDK it names, side by side on one engine.
 * Owns how a test is named: number, title, the spec IDs it proves, and the SDK.
 */
import { afterAll, beforeAll, describe, test, vi } from "vitest";
import { startTestEngine, type TestEngine, type TestEngineOptions } from "./engine.ts";
import { openScenario, type Scenario, type Variant } from "./scenario.ts";

/** One scenario of spec/scenarios.md (`SC-54`), or the check of one capability (`EX-61`). */
export interface Case {
  /** Becomes the app's id, so it is unique in a file: a second check of one capability is `EX-61b`. */
  readonly id: string;
  readonly title: string;
  /** Spec IDs. */
  readonly proves: readonly string[];
  /** Default: both SDKs as they come. */
  readonly sdks?: readonly Variant[];
  /** Runs before all others and by itself: it measures time. */
  readonly alone?: boolean;
  readonly run: (scenario: Scenario) => Promise<void>;
}

/** Where parallel steps matter, each SDK runs in both of its ways (EX-32). */
export const EVERY_WAY: readonly Variant[] = ["v3", "v4", "v3-optimised", "v4-plain"];

/** Scenarios at once: they mostly wait, but two cores carry the engine, the apps and another file. */
const AT_ONCE = 12;
/** ms; generous, because what has to be fast is measured inside scenarios. */
const TIMEOUT = 120_000;

/** Declares the tests of a file: one engine, these scenarios. */
export function conformance(title: string, cases: readonly Case[], options: TestEngineOptions = {}): void {
  vi.setConfig({ maxConcurrency: AT_ONCE });
  describe(title, () => {
    let engine: TestEngine | null = null;
    beforeAll(async () => {
      engine = await startTestEngine(options);
    });
    afterAll(async () => {
      await engine?.stop();
    });
    const declare = (one: Case, variant: Variant, kind: typeof test | typeof test.concurrent): void => {
      kind(`${one.id} ${one.title}: ${one.proves.join(", ")} (${variant})`, { timeout: TIMEOUT }, async () => {
        if (engine === null) throw new Error("The engine did not start");
        const { scenario, close } = openScenario(engine, one.id, variant);
        try {
          await one.run(scenario);
        } finally {
          await close();
        }
      });
    };
    const variantsOf = (one: Case): readonly Variant[] => one.sdks ?? ["v3", "v4"];
    for (const one of cases.filter(({ alone }) => alone)) {
      for (const variant of variantsOf(one)) declare(one, variant, test);
    }
    for (const one of cases.filter(({ alone }) => !alone)) {
      for (const variant of variantsOf(one)) declare(one, variant, test.concurrent);
    }
  });
}
