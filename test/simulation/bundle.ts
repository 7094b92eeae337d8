/**
 * The suites as one file for plain Node, where schedules play faster than in the test runner. Owns what takes the place of the platform, and
 * the deliberate defect that a bundle may have.
 */
import { readFile } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { type PlantedBug, plant } from "./planted/plant.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const HERE = import.meta.dirname;

/** Writes the bundle to `file`, with one defect or none. Throws when the defect is not where it was. */
export async function bundle(file: string, bug: PlantedBug | null): Promise<void> {
  await build({
    entryPoints: [resolve(HERE, "player.ts")],
    outfile: file,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    logLevel: "error",
    // No schedule runs a transform, so its interpreter is not there.
    loader: { ".sql": "text", ".html": "text", ".md": "text", ".wasm": "empty" },
    alias: { "cloudflare:workers": resolve(HERE, "platform/workers.ts") },
    plugins: [simulated(bug)],
  });
}

/** Calls of the app go to the simulated one, and one source file gets its defect. */
function simulated(bug: PlantedBug | null): Plugin {
  return {
    name: "simulated",
    setup: ({ onLoad }) => {
      onLoad({ filter: /\/src\/calls\/call\.ts$/ }, () => ({
        contents: `import { App } from "${resolve(HERE, "app.ts")}";
          export const callApp = (_bindings, state, job) => App.current.call(state, job);`,
        resolveDir: HERE,
      }));
      if (bug === null) return;
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (relative(ROOT, path) !== bug.file) return undefined;
        return { contents: plant(bug, await readFile(path, "utf8")), loader: "ts" };
      });
    },
  };
}
