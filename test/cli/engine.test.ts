/** The launcher's engine on a small Worker of its own, so that it is tested whatever state the real one is in. */
import { mkdtemp, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { BuildFailed, buildWorker, type WorkerTarget } from "../../cli/build.ts";
import { type Engine, type EngineOptions, startEngine } from "../../cli/engine.ts";
import { PortTaken } from "../../cli/port.ts";
import type { RuntimeLine } from "../../cli/runtime-line.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const CONFIG = "test/cli/worker/wrangler.toml";

let dir: string;
let bundleDir: string;
const engines: Engine[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "engine-test-"));
  bundleDir = await buildWorker({
    config: CONFIG,
    outDir: relative(ROOT, join(dir, "bundle")),
    sources: ["test/cli/worker"],
  });
}, 60_000);
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.stop();
});
afterAll(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));

async function start(options: Partial<EngineOptions> = {}): Promise<Engine> {
  const persistDir = join(dir, `state-${Math.random()}`);
  const engine = await startEngine({ port: 0, persistDir, bundleDir, quiet: true, config: CONFIG, ...options });
  engines.push(engine);
  return engine;
}

const replySchema = z.object({
  mode: z.string(),
  kept: z.string(),
  secret: z.string().optional(),
  caller: z.string(),
  database: z.number(),
  counts: z.record(z.string(), z.number()),
});

async function ask(engine: Engine, path = "/"): Promise<z.infer<typeof replySchema>> {
  return replySchema.parse(await (await fetch(engine.url + path)).json());
}

describe("startEngine", { timeout: 30_000 }, () => {
  test("gives the Worker its bindings: variables over the configuration's, itself by entrypoint, D1, text modules", async () => {
    const engine = await start({ bindings: { MILLRACE_MODE: "dev", SECRET: "s" } });
    expect(await ask(engine)).toEqual({
      mode: "dev",
      kept: "from the configuration",
      secret: "s",
      caller: "called",
      database: 42,
      counts: {},
    });
    expect(engine.url).toBe(`http://127.0.0.1:${engine.port}`);
  });

  test("delivers queue messages and fires the cron trigger on demand", async () => {
    const engine = await start();
    await ask(engine, "/send");
    await engine.sweep();
    await expect.poll(async () => (await ask(engine)).counts, { timeout: 5_000 }).toEqual({ batches: 1, sweeps: 1 });
  });

  test("DEV-15: after kill -9 it is back on the same port with everything it had acknowledged", async () => {
    const restarts: (Error | null)[] = [];
    const engine = await start({ onRestart: (failure) => restarts.push(failure) });
    for (const round of [1, 2, 3]) {
      await ask(engine, "/add");
      const pid = engine.pid();
      await engine.kill();
      expect(() => process.kill(pid, 0)).toThrow();
      await engine.ready();
      expect(engine.pid()).not.toBe(pid);
      expect((await ask(engine)).counts).toEqual({ requests: round });
    }
    expect(restarts).toEqual([null, null, null]);
  });

  test("DEV-13: several run side by side, and one that is killed does not disturb the other", async () => {
    const [one, two] = await Promise.all([start(), start()]);
    expect(one.port).not.toBe(two.port);
    expect(one.pid()).not.toBe(two.pid());
    await ask(two, "/add");
    const pid = two.pid();
    await one.kill();
    expect((await ask(two)).counts).toEqual({ requests: 1 });
    expect(two.pid()).toBe(pid);
    await one.ready();
    expect((await ask(one)).counts).toEqual({});
  });

  test("state outlives the engine in its directory", async () => {
    const persistDir = join(dir, "kept");
    const first = await start({ persistDir });
    await ask(first, "/add");
    await first.stop();
    expect(() => first.pid()).toThrow("not running");
    expect((await ask(await start({ persistDir }))).counts).toEqual({ requests: 1 });
  });

  test("DEV-3: a taken port is an error of its own kind", async () => {
    const { port } = await start();
    await expect(start({ port })).rejects.toThrow(PortTaken);
    await expect(start({ port })).rejects.toThrow(`port ${port} is taken`);
  });

  test.each([
    [false, ["a line of the Worker"]],
    [true, []],
  ])("what the Worker logs is handed on unless quiet (%s)", async (quiet, expected) => {
    const lines: RuntimeLine[] = [];
    const engine = await start({ quiet, onLine: (line) => lines.push(line) });
    await ask(engine, "/log");
    await new Promise((wake) => setTimeout(wake, 200));
    expect(lines.map(({ text }) => text)).toEqual(expected);
  });

  test("leaves the program's signals alone when asked to", async () => {
    const listeners = () => (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) => process.listenerCount(signal));
    const before = listeners();
    await start({ endOnSignals: false });
    expect(listeners()).toEqual(before);
  });
});

describe("buildWorker", { timeout: 30_000 }, () => {
  test("bundles again only when a source changed in content", async () => {
    const source = join(dir, "source");
    await writeFile(source, "one");
    const target: WorkerTarget = {
      config: CONFIG,
      outDir: relative(ROOT, join(dir, "again")),
      sources: ["test/cli/worker", relative(ROOT, source)],
    };
    const built = async () => (await stat(join(await buildWorker(target), "worker.js"))).mtimeMs;
    const first = await built();
    await utimes(source, new Date(), new Date());
    expect(await built()).toBe(first);
    await writeFile(source, "two");
    const second = await built();
    expect(second).not.toBe(first);
    await writeFile(join(dir, "again", "worker.js"), "damaged");
    expect(await built()).not.toBe(second);
  });

  test("fails with wrangler's words and leaves nothing half-built", async () => {
    const outDir = relative(ROOT, join(dir, "broken"));
    await writeFile(
      join(dir, "broken.toml"),
      'name = "broken"\nmain = "missing.ts"\ncompatibility_date = "2026-10-01"\n',
    );
    const target = { config: relative(ROOT, join(dir, "broken.toml")), outDir, sources: [] };
    await expect(buildWorker(target)).rejects.toThrow(BuildFailed);
    await expect(buildWorker(target)).rejects.toThrow("missing.ts");
    await expect(stat(resolve(ROOT, outDir))).rejects.toThrow();
    await expect(stat(resolve(ROOT, `${outDir}.${process.pid}`))).rejects.toThrow();
  });
});
