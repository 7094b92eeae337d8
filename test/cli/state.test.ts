import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openState, StateInUse, temporaryState } from "../../cli/state.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "state-test-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A process that does nothing and whose command line contains `name`. */
function sleeper(name: string) {
  return spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)", name], { stdio: "ignore" });
}

const locked = (server: number, workerd: number | null) =>
  writeFile(join(dir, "server.json"), JSON.stringify({ server, workerd }));

describe("the state directory", () => {
  test("DEV-13: is refused while another server lives", async () => {
    const other = sleeper("cli/dev.ts");
    try {
      await locked(Number(other.pid), null);
      await expect(openState(dir)).rejects.toThrow(StateInUse);
      await expect(openState(dir)).rejects.toThrow(String(other.pid));
    } finally {
      other.kill("SIGKILL");
    }
  });

  test("DEV-15: is taken over from a killed server, whose workerd is ended", async () => {
    const orphan = sleeper("bin/workerd serve");
    const ended = once(orphan, "exit");
    await locked(2 ** 22 + 1, Number(orphan.pid));
    const state = await openState(dir);
    expect(await ended).toEqual([null, "SIGKILL"]);
    await state.release();
  });

  test("a process id that now belongs to something else is left alone", async () => {
    const stranger = sleeper("an-editor");
    try {
      await locked(Number(stranger.pid), Number(stranger.pid));
      const state = await openState(dir);
      await state.release();
      expect(stranger.exitCode).toBeNull();
      expect(stranger.signalCode).toBeNull();
    } finally {
      stranger.kill("SIGKILL");
    }
  });

  test.each(["", "{", "[]", '{"server":"me"}'])("a lock that holds %j counts as none", async (text) => {
    await writeFile(join(dir, "server.json"), text);
    await (await openState(dir)).release();
  });

  test("names its workerd while held and keeps its files when given back", async () => {
    const state = await openState(dir);
    await state.hold(4711);
    expect(JSON.parse(await readFile(join(dir, "server.json"), "utf8"))).toEqual({
      server: process.pid,
      workerd: 4711,
    });
    await state.release();
    await expect(access(join(dir, "server.json"))).rejects.toThrow();
    await access(dir);
  });

  test("DEV-4 --in-memory: two servers get two directories, and each goes away with its server", async () => {
    const [one, two] = await Promise.all([temporaryState(), temporaryState()]);
    expect(one.dir).not.toBe(two.dir);
    await writeFile(join(one.dir, "row"), "x");
    await one.release();
    await expect(access(one.dir)).rejects.toThrow();
    await access(two.dir);
    await two.release();
  });
});
