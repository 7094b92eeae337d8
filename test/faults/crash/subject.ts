/**
 * The engine a campaign kills: one directory and one port, and one or more versions of the engine that work on it in turns. Owns what a kill
 * is; everything else about the engine is learned over HTTP.
 */
import { buildWorker, type Engine, startEngine } from "../../../cli/engine.ts";
import { temporaryState } from "../../../cli/state.ts";

/** An engine under fire. */
export interface Subject {
  /** The same after every kill. */
  readonly url: string;
  /** `kill -9`; resolves when the engine, or its next version, answers again. */
  kill(): Promise<void>;
  /** Answers the parsed body of a GET. Throws when the status is not 200. */
  read(path: string): Promise<unknown>;
  /** Ends it and removes its state. */
  stop(): Promise<void>;
}

/** ms; with everything overdue at once, on a busy machine, the first answer may take long. */
const PATIENCE = 60_000;

/** Starts the first of these bundles, by default the only one there is; each kill goes on with the next. */
export async function startSubject(bundles?: readonly [string, ...string[]]): Promise<Subject> {
  const turns = bundles ?? [await buildWorker()];
  const state = await temporaryState();
  const start = (bundleDir: string, port: number): Promise<Engine> =>
    startEngine({
      port,
      bundleDir,
      persistDir: state.dir,
      bindings: { MILLRACE_MODE: "dev", MILLRACE_RETRY_INTERVAL: "1" },
      quiet: true,
      // What it logs about calls that a kill interrupted is no failure of the test.
      onLine: () => undefined,
    });
  let engine: Engine;
  try {
    engine = await start(turns[0], 0);
  } catch (error) {
    await state.release();
    throw error;
  }
  let kills = 0;
  const { url, port } = engine;
  return {
    url,
    async kill() {
      await engine.kill();
      const next = turns[++kills % turns.length];
      // Alone it is started again by its launcher, which is faster.
      if (turns.length > 1 && next !== undefined) {
        await engine.stop();
        engine = await start(next, port);
      }
      await answering(engine);
    },
    async read(path) {
      const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(PATIENCE) });
      const text = await response.text();
      if (response.status !== 200) throw new Error(`GET ${path}: ${response.status} ${text}`);
      return JSON.parse(text);
    },
    async stop() {
      await engine.stop();
      await state.release();
    },
  };
}

async function answering(engine: Engine): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    try {
      return await engine.ready();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}
