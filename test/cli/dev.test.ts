/** The launcher as people and scripts use it: a process with signals, ports and directories. The Worker it runs is the real one. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { buildWorker } from "../../cli/build.ts";

const DEV = resolve(import.meta.dirname, "../../cli/dev.ts");
const BANNER = /open +(http:\S+)/;

let dir: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  await buildWorker();
}, 60_000);
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "dev-test-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
  }
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});

interface Dev {
  readonly child: ChildProcess;
  output(): string;
  /** Resolves with the first match; fails when the process ends before, or after 20 s. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** The exit code, null for a signal. */
  readonly exit: Promise<number | null>;
}

function dev(...args: string[]): Dev {
  const child = spawn(process.execPath, [DEV, "--persist-dir", dir, ...args], {
    cwd: dir,
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const exit = new Promise<number | null>((done) => child.once("close", (code) => done(code)));
  return {
    child,
    exit,
    output: () => output,
    async says(pattern) {
      const deadline = Date.now() + 20_000;
      for (;;) {
        const match = pattern.exec(output);
        if (match !== null) return match;
        if (child.exitCode !== null || Date.now() > deadline) throw new Error(`no ${pattern} in:\n${output}`);
        await new Promise((wake) => setTimeout(wake, 20));
      }
    },
  };
}

const urlOf = async (server: Dev): Promise<string> => (await server.says(BANNER))[1] ?? "";

/** Process ids of the server, its workerd and what it started, from its lock. */
async function lock(): Promise<{ server: number; workerd: number }> {
  const text = await readFile(join(dir, "server.json"), "utf8");
  return z.object({ server: z.number(), workerd: z.number() }).parse(JSON.parse(text));
}

/** False also for a process that has ended and still waits for its parent to notice. */
function alive(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.trim() !== "" && !stdout.startsWith("Z");
}

const runsSchema = z.object({ data: z.array(z.object({ status: z.string(), function_id: z.string() })) });

/** Statuses of the runs of the only `quickstart/user.signup` event there is. */
async function statuses(url: string): Promise<string[]> {
  const events = await (await fetch(`${url}/v1/events?name=quickstart/user.signup`)).json();
  const id = z.object({ data: z.array(z.object({ internal_id: z.string() })) }).parse(events).data[0]?.internal_id;
  if (id === undefined) return [];
  const runs = await (await fetch(`${url}/v1/events/${id}/runs`)).json();
  return runsSchema.parse(runs).data.map(({ status }) => status);
}

async function eventually(check: () => Promise<boolean>, ms: number): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms`);
    await new Promise((wake) => setTimeout(wake, 100));
  }
}

describe("npm run dev", { timeout: 60_000 }, () => {
  test("DEV-1: the quickstart's runs complete without any action", async () => {
    const server = dev("--port", "0");
    const url = await urlOf(server);
    await server.says(/sent the event quickstart\/user.signup/);
    await eventually(async () => {
      const all = await statuses(url);
      return all.length === 2 && all.every((status) => status === "Completed");
    }, 30_000);
    await server.says(/back to the free plan/);
  });

  test("DEV-15: a run that sleeps when workerd and then the server are killed completes after a restart", async () => {
    const first = dev("--port", "0", "--retry-interval", "1");
    const url = await urlOf(first);
    await first.says(/creating the account/);
    // The event has reached history, so that the next server does not greet again.
    await eventually(async () => (await statuses(url)).length === 2, 10_000);
    const before = await lock();
    process.kill(before.workerd, "SIGKILL");
    await first.says(/workerd ended unexpectedly and was started again/);
    const { server, workerd } = await lock();
    expect(workerd).not.toBe(before.workerd);
    process.kill(server, "SIGKILL");
    await first.exit;
    await eventually(async () => !alive(workerd), 1_000);

    const second = dev("--port", "0", "--retry-interval", "1");
    const again = await urlOf(second);
    await second.says(/welcome mail to ada/);
    await eventually(async () => (await statuses(again)).every((status) => status === "Completed"), 30_000);
    expect(second.output()).not.toContain("creating the account");
    expect(second.output()).not.toContain("sent the event");
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "DEV-13: %s ends everything within 2 s with exit code 0",
    async (signal) => {
      const server = dev("--port", "0");
      const url = await urlOf(server);
      await server.says(/synced (\S+)/);
      const { workerd } = await lock();
      const [, app = ""] = await server.says(/apps +(http:\S+)/);
      const began = performance.now();
      server.child.kill(signal);
      expect(await server.exit).toBe(0);
      expect(performance.now() - began).toBeLessThan(2_000);
      expect(alive(workerd)).toBe(false);
      for (const address of [url, app]) await expect(fetch(address)).rejects.toThrow();
      await expect(access(join(dir, "server.json"))).rejects.toThrow();
    },
  );

  test("DEV-13: SIGTERM to the npm that runs it ends everything within 2 s", async () => {
    const npm = spawn("npm", ["run", "dev", "--", "--persist-dir", dir, "--port", "0"], {
      cwd: resolve(import.meta.dirname, "../.."),
      stdio: "ignore",
    });
    children.push(npm);
    await eventually(async () => (await lock().catch(() => null)) !== null, 20_000);
    const { server, workerd } = await lock();
    npm.kill("SIGTERM");
    await eventually(async () => !alive(server) && !alive(workerd), 2_000);
  });

  test.each([100, 400, 800])("DEV-13: SIGTERM %i ms after the start leaves nothing behind", async (wait) => {
    // Before the first lines of the program run, nobody could answer the signal: then it is sent later.
    for (let begun = 150; ; begun *= 2) {
      const server = dev("--port", "0", "--in-memory");
      await new Promise((wake) => setTimeout(wake, begun + wait));
      server.child.kill("SIGTERM");
      const code = await server.exit;
      if (code === null && begun < 5000) continue;
      expect(code).toBe(0);
      return;
    }
  });

  test("DEV-3: a second server on the same port names --port, and one in the same directory too", async () => {
    const first = dev("--port", "0", "--no-example");
    const port = new URL(await urlOf(first)).port;
    const other = await mkdtemp(join(tmpdir(), "dev-test-"));
    const second = dev("--port", port, "--persist-dir", other, "--no-example");
    expect(await second.exit).toBe(1);
    expect(second.output()).toMatch(new RegExp(`Port ${port} is taken.*--port ${Number(port) + 1}`));
    const third = dev("--port", port, "--no-example");
    expect(await third.exit).toBe(1);
    expect(third.output()).toMatch(/is in use.*--port/);
    await rm(other, { recursive: true });
  });

  test("DEV-4 --in-memory: nothing of it is left", async () => {
    const server = dev("--port", "0", "--in-memory", "--no-example");
    const [, state = ""] = await server.says(/state +(\S+), removed at exit/);
    expect((await readdir(state)).length).toBeGreaterThan(0);
    server.child.kill("SIGINT");
    expect(await server.exit).toBe(0);
    await expect(access(state)).rejects.toThrow();
    expect(await readdir(dir)).toEqual([]);
  });

  test.each([
    [["--port", "many"], 2, /--port must be a whole number/],
    [["--help"], 0, /--in-memory/],
    [["--version"], 0, /^\d+\.\d+\.\d+\n$/],
  ])("%j ends with %i", async (args, code, text) => {
    const server = dev(...args);
    expect(await server.exit).toBe(code);
    expect(server.output()).toMatch(text);
  });
});
