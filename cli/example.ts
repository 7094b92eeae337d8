/**
 * Runs the quickstart app beside the engine. Owns its process and its output; guarantees that the process ends with the launcher.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { endWithUs } from "./orphan.ts";
import { freePort, portIsFree } from "./port.ts";

const DIRECTORY = resolve(import.meta.dirname, "../examples/quickstart");
const PREFERRED_PORT = 3000;
/** ms an app gets to end by itself. */
const GRACE = 500;

/** The running quickstart app. */
export interface Example {
  /** Its serve URL. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts the quickstart on port 3000, or on a free one when that is taken, and points it at the engine. Does not wait until it listens:
 * syncing tries until it does.
 */
export async function startExample(engineUrl: string, say: (line: string) => void): Promise<Example> {
  const port = (await portIsFree("localhost", PREFERRED_PORT)) ? PREFERRED_PORT : await freePort();
  if (port !== PREFERRED_PORT) say(`port ${PREFERRED_PORT} is taken; the quickstart app runs on ${port}`);
  const child = spawn(process.execPath, ["app.ts"], {
    cwd: DIRECTORY,
    env: { ...process.env, PORT: String(port), INNGEST_DEV: engineUrl },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.once("spawn", () => endWithUs(child));
  let stopping = false;
  for (const stream of [child.stdout, child.stderr]) createInterface(stream).on("line", say);
  child.once("error", (error) => say(`could not be started: ${error.message}`));
  child.once("exit", (code, signal) => {
    if (!stopping) say(`ended by itself (${signal ?? `exit code ${code}`})`);
  });
  return {
    url: `http://localhost:${port}/api/inngest`,
    stop() {
      stopping = true;
      return end(child);
    },
  };
}

/** SIGTERM, and SIGKILL when that is not enough. Resolves when the process is gone. */
function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    const impatience = setTimeout(() => child.kill("SIGKILL"), GRACE);
    child.once("exit", () => {
      clearTimeout(impatience);
      done();
    });
    child.kill("SIGTERM");
  });
}
