/** Starts the peer, Cloudflare Workflows, and measures its bursts. */
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { buildWorker, startEngine } from "../../cli/engine.ts";
import { CLIENTS, repeat, withDeadline } from "../driver.ts";
import { client } from "../http.ts";

const WORKER = {
  config: "bench/workflows/wrangler.toml",
  outDir: "dist/bench-workflows",
  sources: ["bench/workflows"],
};

const replySchema = z.object({ finished: z.number() });

/** The running peer. */
export interface Workflows {
  /** Instances per second: `count` of them, created by 32 clients, until the last one is done. */
  burst(count: number): Promise<number>;
  close(): Promise<void>;
}

/** The peer on state in `dir`. */
export async function startWorkflows(dir: string): Promise<Workflows> {
  const bundleDir = await buildWorker(WORKER);
  const worker = await startEngine({ port: 0, persistDir: dir, bundleDir, quiet: true, config: WORKER.config });
  const http = client(worker.url, CLIENTS);
  let created = 0;
  const allFinished = async (): Promise<void> => {
    for (;;) {
      const reply = await fetch(worker.url);
      if (replySchema.parse(await reply.json()).finished >= created) return;
      await sleep(2);
    }
  };
  return {
    async burst(count) {
      const began = performance.now();
      await repeat(count, Number.POSITIVE_INFINITY, () => http.post("/", ""));
      created += count;
      await withDeadline(allFinished());
      return (count * 1000) / (performance.now() - began);
    },
    async close() {
      http.close();
      await worker.stop();
    },
  };
}
