/**
 * The parts of the local server, started in order: state, Worker, workerd, quickstart app, syncing of apps.
 * Guarantees that each part that runs is known to the caller, so that it can be ended, also when a later one fails to start.
 */
import { relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { banner } from "./banner.ts";
import { buildWorker, ENGINE } from "./build.ts";
import type { Engine } from "./engine.ts";
import { type Example, startExample } from "./example.ts";
import { sendFirstEvent } from "./first-event.ts";
import type { DevOptions } from "./flags.ts";
import { log } from "./log.ts";
import { PortTaken, portIsFree } from "./port.ts";
import { openState, type State, temporaryState } from "./state.ts";
import { followApps } from "./sync.ts";

/** ms between two sweeps; in production a cron trigger does it. */
const SWEEP = 60_000;
/** Where an app is expected when none was named (DEV-4). */
const USUAL_APP = "http://localhost:3000/api/inngest";

/** What the parts share. */
export interface ServerContext {
  readonly options: DevOptions;
  readonly version: string;
  /** Aborted when the server is to end: nothing more is started. */
  readonly signal: AbortSignal;
  /** Told how to end each part, in the order of starting. */
  readonly onStarted: (stop: () => Promise<void>) => void;
  /** Called when the engine is lost for good. */
  readonly onLost: () => void;
}

/** Starts everything; resolves when the engine is ready. Throws {@link PortTaken}, `StateInUse`, or what building or starting said. */
export async function startServer(context: ServerContext): Promise<void> {
  const { options, signal, onStarted } = context;
  const began = performance.now();
  const state = options.inMemory ? await temporaryState() : await openState(options.persistDir);
  onStarted(() => state.release());
  if (options.port !== 0 && !(await portIsFree(options.host, options.port))) throw new PortTaken(options.port);
  signal.throwIfAborted();

  const engine = await runEngine(context, state);
  onStarted(() => engine.stop());
  signal.throwIfAborted();
  await state.hold(engine.pid());

  const url = engine.url.replace("127.0.0.1", "localhost");
  const example = options.example ? await startExample(url, (line) => log("quickstart", line)) : null;
  if (example !== null) onStarted(() => example.stop());
  const apps = appsOf(options, example);
  console.log(
    banner({
      version: context.version,
      url,
      apps,
      stateDir: state.temporary ? state.dir : shownPath(state.dir),
      temporary: state.temporary,
      ignored: options.ignored,
      example: example !== null,
      took: performance.now() - began,
    }),
  );
  sweepEveryMinute(engine, onStarted);
  void followApps({
    urls: apps,
    interval: options.poll ? options.pollInterval : null,
    signal,
    say: (line) => log("apps", line),
    onSync: example === null ? () => undefined : once(() => greet(engine)),
  });
}

async function runEngine({ options, signal, onLost }: ServerContext, state: State): Promise<Engine> {
  // Miniflare takes most of a second to load: time in which wrangler bundles.
  const [bundleDir, { startEngine }] = await Promise.all([buildWorker(ENGINE, signal), import("./engine.ts")]);
  const restarted = async (failure: Error | null): Promise<void> => {
    // Ctrl-C reaches workerd too, sometimes before it reaches us: that is no crash.
    await sleep(100);
    if (signal.aborted) return;
    if (failure === null) {
      await state.hold(engine.pid());
      log("engine", "workerd ended unexpectedly and was started again; every run continues");
    } else {
      log("engine", `workerd ended and could not be started again: ${failure.stack ?? failure.message}`);
      onLost();
    }
  };
  const engine = await startEngine({
    port: options.port,
    host: options.host === "localhost" ? "127.0.0.1" : options.host,
    persistDir: state.dir,
    bindings: {
      MILLRACE_MODE: "dev",
      MILLRACE_RETRY_INTERVAL: String(options.retryInterval),
      MILLRACE_NO_UI: options.ui ? "0" : "1",
    },
    bundleDir,
    quiet: false,
    endOnSignals: false,
    onLine: ({ text }) => log("engine", text),
    onRestart: (failure) => {
      restarted(failure).catch((error: unknown) => log("engine", String(error)));
    },
  });
  return engine;
}

/** Relative where that is the shorter thing to read. */
function shownPath(path: string): string {
  const below = relative(process.cwd(), path) || ".";
  return below.startsWith("..") ? path : below;
}

function appsOf(options: DevOptions, example: Example | null): readonly string[] {
  if (options.sdkUrls.length > 0) return options.sdkUrls;
  if (example !== null) return [example.url];
  return options.discovery ? [USUAL_APP] : [];
}

function sweepEveryMinute(engine: Engine, onStarted: ServerContext["onStarted"]): void {
  const timer = setInterval(() => {
    engine.sweep().catch((error: unknown) => log("engine", `the sweep failed: ${String(error)}`));
  }, SWEEP);
  onStarted(async () => clearInterval(timer));
}

async function greet(engine: Engine): Promise<void> {
  try {
    if (await sendFirstEvent(engine.url)) log("apps", "sent the event quickstart/user.signup, the first one");
  } catch (error) {
    log("apps", `the first event could not be sent: ${String(error)}`);
  }
}

function once(action: () => Promise<void>): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    void action();
  };
}
