/**
 * The test suites: `pure` in plain Node, `cli` what starts programs, `simulation` on a simulated platform, `runtime` inside workerd, `conformance` through the official SDKs over real HTTP, `instrumented` the same with apps that change their whole process, `faults` on engines that are killed, mixed and restored, and with apps that misbehave, `browser` in Chromium.
 */
import { resolve } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { FoldersInOrder } from "./test/order.ts";
import { PLANTED_BUGS } from "./test/simulation/planted/bugs.ts";
import { bugNamed, planting } from "./test/simulation/planted/plant.ts";

/** `.sql`, `.html` and `.md` are text, as wrangler.toml says. */
const textModules = {
  name: "text-modules",
  enforce: "pre" as const,
  transform: (text: string, id: string) =>
    /\.(?:sql|html|md)$/.test(id) ? `export default ${JSON.stringify(text)}` : undefined,
};

/** The variables of fuzz tests (test/fuzz/plan.ts) and of crash points, which code inside workerd can only read as bindings. */
function variables(): Record<string, string> {
  const { FUZZ_SEED = "", FUZZ_CASES = "", CRASH_POINTS_EVERY = "" } = process.env;
  return { FUZZ_SEED, FUZZ_CASES, CRASH_POINTS_EVERY };
}

/** Test files at the same time, in all suites together: more than cores, because most of a test is waiting. So tests must not be judged by their time. */
const WORKERS = { fileParallelism: true, maxWorkers: 4, testTimeout: 30_000 };

/** Suites whose processes go on with the next file: starting one, and loading what all of them need, costs more than most files do. */
const SHARED_PROCESS = { isolate: false, setupFiles: ["./test/shared-process.ts"] };

/** Suites against a real engine. */
const ENGINE = {
  ...WORKERS,
  globalSetup: "./test/conformance/build.ts",
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

/** Apps whose SDK traces everything their process does. */
const INSTRUMENTED = ["test/conformance/traces/userland-*.test.ts"];

export default defineConfig({
  test: {
    sequence: { sequencer: FoldersInOrder },
    reporters: ["default", ["json", { outputFile: process.env["TEST_RESULTS"] ?? "dist/test-results.json" }]],
    projects: [
      {
        plugins: [textModules],
        test: { name: "pure", include: ["test/src/**/*.test.ts"], ...WORKERS, ...SHARED_PROCESS },
      },
      { test: { name: "cli", include: ["test/{cli,architecture}/**/*.test.ts"], ...WORKERS } },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: { MILLRACE_MODE: "dev", ...variables() } },
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
          exclude: INSTRUMENTED,
          ...ENGINE,
          ...SHARED_PROCESS,
        },
      },
      { test: { name: "instrumented", include: INSTRUMENTED, ...ENGINE } },
      {
        test: {
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          ...ENGINE,
          ...SHARED_PROCESS,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          ...ENGINE,
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
