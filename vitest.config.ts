/**
 * The test suites: `pure` in plain Node, `simulation` on a simulated platform, `runtime` inside workerd, `conformance` through the official SDKs over real HTTP, `browser` in Chromium.
 */
import { resolve } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** `.sql` and `.html` are text, as wrangler.toml says. */
const textModules = {
  name: "text-modules",
  enforce: "pre" as const,
  transform: (text: string, id: string) =>
    /\.(?:sql|html)$/.test(id) ? `export default ${JSON.stringify(text)}` : undefined,
};

export default defineConfig({
  test: {
    reporters: ["default", ["json", { outputFile: "dist/test-results.json" }]],
    projects: [
      { test: { name: "pure", include: ["test/{src,cli,architecture}/**/*.test.ts"] } },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: { MILLRACE_MODE: "dev" } },
          }),
        ],
        test: { name: "runtime", include: ["test/durable-objects/**/*.test.ts"] },
      },
      {
        plugins: [textModules],
        resolve: {
          alias: { "cloudflare:workers": resolve(import.meta.dirname, "test/simulation/platform/workers.ts") },
        },
        test: { name: "simulation", include: ["test/simulation/**/*.test.ts"], testTimeout: 170_000 },
      },
      {
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          globalSetup: "./test/conformance/build.ts",
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          globalSetup: "./test/conformance/build.ts",
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
