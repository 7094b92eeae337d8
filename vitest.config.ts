/**
 * The test suites: `pure` in plain Node, `simulation` on a simulated platform, `runtime` inside workerd, `conformance` through the official SDKs over real HTTP, `faults` on engines that are killed, mixed and restored, and with apps that misbehave, `browser` in Chromium.
 */
import { resolve } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { PLANTED_BUGS } from "./test/simulation/planted/bugs.ts";
import { bugNamed, planting } from "./test/simulation/planted/plant.ts";

/** `.sql`, `.html` and `.md` are text, as wrangler.toml says. */
const textModules = {
  name: "text-modules",
  enforce: "pre" as const,
  transform: (text: string, id: string) =>
    /\.(?:sql|html|md)$/.test(id) ? `export default ${JSON.stringify(text)}` : undefined,
};

/** The variables of fuzz tests, which code inside workerd can only read as bindings (test/fuzz/plan.ts). */
function fuzzing(): Record<string, string> {
  const { FUZZ_SEED = "", FUZZ_CASES = "" } = process.env;
  return { FUZZ_SEED, FUZZ_CASES };
}

/** Test files at the same time, in all suites together: more than cores, because most of a test is waiting. So tests must not be judged by their time. */
const WORKERS = { fileParallelism: true, maxWorkers: 3, testTimeout: 30_000 };

export default defineConfig({
  test: {
    reporters: ["default", ["json", { outputFile: "dist/test-results.json" }]],
    projects: [
      { test: { name: "pure", include: ["test/{src,cli,architecture}/**/*.test.ts"], ...WORKERS } },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: { MILLRACE_MODE: "dev", ...fuzzing() } },
          }),
        ],
        test: { name: "runtime", include: ["test/durable-objects/**/*.test.ts"], ...WORKERS },
      },
      {
        // With `PLANTED_BUG` one file gets a deliberate defect, which the schedules have to find.
        plugins: [textModules, planting(bugNamed(PLANTED_BUGS, process.env["PLANTED_BUG"]))],
        resolve: {
          alias: { "cloudflare:workers": resolve(import.meta.dirname, "test/simulation/platform/workers.ts") },
        },
        test: { name: "simulation", include: ["test/simulation/**/*.test.ts"], ...WORKERS, testTimeout: 170_000 },
      },
      {
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          ...WORKERS,
          globalSetup: "./test/conformance/build.ts",
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          ...WORKERS,
          globalSetup: "./test/conformance/build.ts",
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          ...WORKERS,
          globalSetup: "./test/conformance/build.ts",
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
