/**
 * `npm run dev`: the engine, the quickstart app and the syncing of apps, in one terminal (DEV-1 to DEV-16).
 * Owns how it ends: whatever happens, everything that was started is gone, and a signal is answered with exit code 0 (DEV-13).
 */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import * as z from "zod";
import { BuildFailed } from "./build.ts";
import { type DevOptions, HELP, parseFlags } from "./flags.ts";
import { PortTaken } from "./port.ts";
import { startServer } from "./server.ts";
import { StateInUse } from "./state.ts";

/** ms after which ending gives up being tidy: scripts expect an answer within 2 s. */
const PATIENCE = 1_500;

/** ms between two looks at who our parent is. */
const PARENT_CHECK = 500;

async function dev(options: DevOptions): Promise<void> {
  const abort = new AbortController();
  const parts: (() => Promise<void>)[] = [];
  let starting = Promise.resolve();
  const end = async (code: number): Promise<void> => {
    if (abort.signal.aborted) return;
    abort.abort();
    setTimeout(() => process.exit(code), PATIENCE).unref();
    // The part that is being started settles first, so that it is known and can be ended too.
    await starting.catch(() => undefined);
    for (const stop of parts.toReversed()) await stop();
    process.exit(code);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void end(0));
  endWithNpm(() => void end(0));
  starting = startServer({
    options,
    version: await version(),
    signal: abort.signal,
    onStarted: (stop) => parts.push(stop),
    onLost: () => void end(1),
  });
  try {
    await starting;
  } catch (error) {
    if (abort.signal.aborted) return;
    console.error(explain(error, options));
    await end(1);
  }
}

/**
 * npm runs us below a shell that does not hand signals on: when somebody ends npm, all we see is that our parent has changed.
 * Only then, because a server started from a terminal may well outlive it.
 */
function endWithNpm(end: () => void): void {
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && end(), PARENT_CHECK).unref();
}

/** What to tell somebody whose server did not start (DEV-3). */
function explain(error: unknown, { port }: DevOptions): string {
  const next = Math.min(port + 1, 65_535);
  if (error instanceof PortTaken) {
    return `Port ${port} is taken, perhaps by another dev server. End that one, or choose another port: --port ${next} (0 takes a free one).`;
  }
  if (error instanceof StateInUse) {
    return `${error.message}. End that one, or give this one a port and a directory of its own: --port ${next} --persist-dir <path>.`;
  }
  if (error instanceof BuildFailed) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function version(): Promise<string> {
  const text = await readFile(resolve(import.meta.dirname, "../package.json"), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

const command = parseFlags(process.argv.slice(2), process.env);
switch (command.kind) {
  case "help":
    console.log(HELP);
    break;
  case "version":
    console.log(await version());
    break;
  case "invalid":
    console.error(command.message);
    process.exitCode = 2;
    break;
  case "start":
    await dev(command);
    break;
}
