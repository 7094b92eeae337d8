/** Starts the floor with its app. */
import { buildWorker, startEngine } from "../../cli/engine.ts";
import { servePlainApp } from "../app.ts";
import { CLIENTS } from "../driver.ts";
import { client } from "../http.ts";
import { Ledger } from "../ledger.ts";
import type { Subject } from "../subject.ts";

/** Calls of the app: a function without steps is one call, one with three steps four. */
const CALLS = { none: 1, sequence: 4 } as const;

const WORKER = { config: "bench/floor/wrangler.toml", outDir: "dist/bench-floor", sources: ["bench/floor"] };

/** The floor on state in `dir`. */
export async function startFloor(dir: string): Promise<Subject<keyof typeof CALLS>> {
  const bundleDir = await buildWorker(WORKER);
  const worker = await startEngine({ port: 0, persistDir: dir, bundleDir, quiet: true, config: WORKER.config });
  const ledger = new Ledger();
  const app = await servePlainApp(ledger);
  const http = client(worker.url, CLIENTS);
  return {
    ledger,
    send(shape) {
      const path = `/?${new URLSearchParams({ app: app.url, calls: String(CALLS[shape]) })}`;
      return (run) => http.post(path, String(run));
    },
    pid: () => worker.pid(),
    async close() {
      http.close();
      await app.close();
      await worker.stop();
    },
  };
}
