/**
 * Starts the engine's Worker on a local workerd. The one way in which `npm run dev`, the conformance tests and the benchmark run it.
 * Requests reach the Worker through Miniflare's direct socket, past Miniflare's own entry Worker (docs/decisions/003-local-launcher.md).
 * Guarantees that the port stays the same when workerd dies and is started again, and that state lives only under `persistDir`.
 */
import { readdir } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import * as z from "zod";
import { ENGINE } from "./build.ts";
import { PortTaken } from "./port.ts";
import { isNoise, type RuntimeLine } from "./runtime-line.ts";
import { follow } from "./workerd.ts";

export { buildWorker } from "./build.ts";

const ROOT = resolve(import.meta.dirname, "..");

/** What to start, and how. */
export interface EngineOptions {
  /** Port to listen on; 0 takes a free one. */
  readonly port: number;
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** Directory of all state: objects, D1. Created when missing. */
  readonly persistDir: string;
  /** Variables and secrets, over those of the configuration. */
  readonly bindings?: Readonly<Record<string, string>>;
  /** What {@link buildWorker} answered. */
  readonly bundleDir: string;
  /** Drops everything the Worker and the runtime log below errors. */
  readonly quiet: boolean;
  /** The wrangler configuration the bundle was built from; the engine's own by default. */
  readonly config?: string;
  /** Receives what the Worker and the runtime log, noise removed; the console by default. */
  readonly onLine?: (line: RuntimeLine) => void;
  /** Called after workerd died and runs again, and, with an error, when it could not be started again. */
  readonly onRestart?: (failure: Error | null) => void;
  /**
   * Whether SIGINT, SIGTERM and SIGHUP end workerd and then this program with 128 + the signal's number (the default).
   * A caller that says false has listeners of its own and calls `stop`.
   */
  readonly endOnSignals?: boolean;
}

/** A running engine. */
export interface Engine {
  /** `http://127.0.0.1:8288`: no slash at the end. */
  readonly url: string;
  readonly port: number;
  /** The process id of workerd; it changes with every restart. Throws while workerd is not running. */
  pid(): number;
  /** `kill -9` of workerd; resolves when it is gone. It is started again by itself, on the same port. */
  kill(): Promise<void>;
  /** Resolves as soon as workerd accepts connections, after a start or a {@link Engine.kill}; throws when it does not within 10 s. */
  ready(): Promise<void>;
  /** Fires the cron trigger: workerd has none of its own, and the engine's sweep hangs on it. Throws when that failed. */
  sweep(): Promise<void>;
  /** Ends workerd at once, as a crash would: nothing acknowledged is lost. */
  stop(): Promise<void>;
}

/** Starts workerd and resolves when it accepts requests. Throws {@link PortTaken}, or Miniflare's error when the bundle does not start. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const host = options.host ?? "127.0.0.1";
  const shared = {
    ...(await workerOptions(options, host)),
    resourcePersistencePath: resolve(options.persistDir),
    cf: false,
    // Miniflare's own entry listens too; nobody is told where, and a taken port of ours must be the only conflict.
    host: "127.0.0.1",
    port: 0,
    log: new RuntimeLog(options),
    handleStructuredLogs: (line: { level: string; message: string }) => print(options, line.level, line.message),
    unsafeHandleRuntimeRestart: () => options.onRestart?.(null),
  };
  const { created: miniflare, workerd } = follow(() =>
    keepingSignals(options.endOnSignals !== false, () => new Miniflare(convertV4MiniflareOptions(shared))),
  );
  try {
    await miniflare.ready;
  } catch (error) {
    // Disposing an instance that never started fails with the same error once more.
    await miniflare.dispose().catch(() => undefined);
    throw isAddressInUse(error) ? new PortTaken(options.port, { cause: error }) : error;
  }
  const port = Number((await miniflare.unsafeGetDirectURL()).port);
  const url = `http://${host === "0.0.0.0" ? "127.0.0.1" : host}:${port}`;
  return {
    url,
    port,
    pid() {
      const running = workerd.running();
      if (running === null) throw new Error("workerd is not running");
      return running.pid;
    },
    kill: () => workerd.kill(),
    ready: () => answering(url),
    async sweep() {
      const worker = await miniflare.getWorker();
      const { outcome } = await worker.scheduled({ cron: "* * * * *" });
      if (outcome !== "ok") throw new Error(`The sweep ended with "${outcome}"; the Worker's log says why.`);
    },
    stop: () => miniflare.dispose(),
  };
}

/** The project's own configuration with its bundle, our variables and the socket. */
async function workerOptions(options: EngineOptions, host: string) {
  const config = unstable_readConfig({ config: resolve(ROOT, options.config ?? ENGINE.config) });
  const { modulesRules: _, ...worker } = unstable_getMiniflareWorkerOptions(config).workerOptions;
  const variables = z.record(z.string(), z.json()).default({}).parse(worker["bindings"]);
  return {
    workers: [
      {
        ...worker,
        name: config.name ?? "millrace",
        bindings: { ...variables, ...options.bindings },
        modulesRoot: options.bundleDir,
        modules: await modulesOf(options.bundleDir, config.main ?? "index.ts"),
        unsafeDirectSockets: [{ host, port: options.port }],
      },
    ],
  };
}

type Module = { readonly type: "ESModule" | "Text" | "CompiledWasm"; readonly path: string };

/** The bundle's modules, the main one first, as Miniflare expects. */
async function modulesOf(bundleDir: string, main: string): Promise<Module[]> {
  const entry = `${basename(main, extname(main))}.js`;
  const files = (await readdir(bundleDir)).filter((file) => file !== entry);
  return [entry, ...files].flatMap((file): Module[] => {
    const path = join(bundleDir, file);
    switch (extname(file)) {
      case ".js":
      case ".mjs":
        return [{ type: "ESModule", path }];
      case ".sql":
      case ".html":
      case ".md":
      case ".txt":
        return [{ type: "Text", path }];
      case ".wasm":
        return [{ type: "CompiledWasm", path }];
      default:
        return [];
    }
  });
}

/** Waits until the address accepts a request, whatever the answer. */
async function answering(url: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) });
      await response.arrayBuffer();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`${url} does not answer`, { cause: error });
      await new Promise((wake) => setTimeout(wake, 20));
    }
  }
}

/** Miniflare ends the program on a signal by itself; `keep` false takes those listeners off again. */
function keepingSignals<T>(keep: boolean, create: () => T): T {
  if (keep) return create();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const before = new Map(signals.map((signal) => [signal, process.listeners(signal)]));
  const created = create();
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) {
      if (!before.get(signal)?.includes(listener)) process.removeListener(signal, listener);
    }
  }
  return created;
}

/** What Miniflare itself has to say: a crash is reported through `onRestart`, the rest like the runtime's own lines. */
class RuntimeLog extends Log {
  readonly #options: EngineOptions;

  constructor(options: EngineOptions) {
    super(LogLevel.WARN);
    this.#options = options;
  }

  override warn(message: string): void {
    print(this.#options, "warn", message);
  }

  override error(error: Error): void {
    if ("code" in error && error.code === "ERR_RUNTIME_FAILURE") this.#options.onRestart?.(error);
    else print(this.#options, "error", error.stack ?? error.message);
  }
}

function print(options: EngineOptions, level: string, text: string): void {
  const line: RuntimeLine = { level, text };
  if (isNoise(line) || (options.quiet && level !== "error")) return;
  if (options.onLine !== undefined) options.onLine(line);
  else if (level === "error" || level === "warn") console.error(text);
  else console.log(text);
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_ADDRESS_IN_USE";
}
