/**
 * The test suites: `pure` in plain Node, `runtime` inside workerd, `conformance` through the official SDKs over real HTTP.
 */
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

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
    ],
  },
});
