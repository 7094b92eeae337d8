/**
 * Counts the fsyncs of a process with strace, where that is installed and allowed. Slows the process down, so no time is measured meanwhile.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

/** ms strace gets to attach to every thread. */
const ATTACH = 300;

/** Starts counting; null where strace cannot be used. `stop` answers how many there were. */
export async function countFsyncs(pid: number): Promise<{ stop(): Promise<number> } | null> {
  const tracer = spawn("strace", ["-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", "signal=none", "-p", String(pid)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let count = 0;
  tracer.stderr.setEncoding("utf8").on("data", (text: string) => {
    // An interrupted call is printed twice; only its beginning names the descriptor.
    count += text.match(/\bf(?:data)?sync\(/g)?.length ?? 0;
  });
  const gone = new Promise<void>((done) => {
    tracer.once("error", () => done());
    tracer.once("close", () => done());
  });
  const attached = await Promise.race([gone.then(() => false), sleep(ATTACH, true)]);
  if (!attached) return null;
  return {
    async stop() {
      tracer.kill("SIGINT");
      if (tracer.exitCode === null && tracer.signalCode === null) await once(tracer, "close");
      return count;
    },
  };
}
