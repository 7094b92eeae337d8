/**
 * The directory that holds the local server's state. Owns choosing it, holding it against a second server, and removing it when
 * nothing is to be kept. Guarantees that at most one workerd works on a directory: one that a killed server left behind is ended first.
 */
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";

const LOCK = "server.json";

const lockSchema = z.object({ server: z.int().positive(), workerd: z.int().positive().nullable() });

/** A directory held by this program. */
export interface State {
  /** Absolute. */
  readonly dir: string;
  /** Whether it is removed by {@link State.release}. */
  readonly temporary: boolean;
  /** Notes which workerd works on the directory, so that a later server can end it should this one be killed. */
  hold(workerd: number): Promise<void>;
  /** Gives the directory back, or removes it when it is temporary. workerd must be gone. */
  release(): Promise<void>;
}

/** Another server works on the directory. */
export class StateInUse extends Error {
  override readonly name = "StateInUse";
}

/** Takes `persistDir`; throws {@link StateInUse} while a living server holds it. */
export async function openState(persistDir: string): Promise<State> {
  const dir = resolve(persistDir);
  await mkdir(dir, { recursive: true });
  const lock = join(dir, LOCK);
  const previous = await readLock(lock);
  if (previous !== null && previous.server !== process.pid) {
    if (await runs(previous.server, "dev.ts")) {
      throw new StateInUse(`${dir} is in use by the server with process id ${previous.server}`);
    }
    if (previous.workerd !== null) await endOrphan(previous.workerd);
  }
  const write = (workerd: number | null) => writeFile(lock, JSON.stringify({ server: process.pid, workerd }));
  await write(null);
  return { dir, temporary: false, hold: write, release: () => rm(lock, { force: true }) };
}

/** Ends the workerd of a server that was killed, and waits until it has let go of its files and its port. */
async function endOrphan(workerd: number): Promise<void> {
  for (let patience = 50; patience > 0 && (await runs(workerd, "workerd")); patience--) {
    process.kill(workerd, "SIGKILL");
    await sleep(20);
  }
}

/** A new directory on a memory-backed file system where the system has one, else among the temporary files. */
export async function temporaryState(): Promise<State> {
  const dir = await mkdtemp(join(await memoryBacked(), "millrace-"));
  return {
    dir,
    temporary: true,
    hold: () => Promise.resolve(),
    // A process that was just killed may still be leaving files behind.
    release: () => rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 }),
  };
}

async function memoryBacked(): Promise<string> {
  try {
    await access("/dev/shm", constants.W_OK);
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
}

async function readLock(path: string): Promise<z.infer<typeof lockSchema> | null> {
  try {
    return lockSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    // A lock torn by a crash of the machine holds nothing.
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

/**
 * Whether the process lives and is what we think it is: process ids are used again. Where `ps` is missing the answer is no,
 * because a server that cannot start after a crash is worse than a missing warning.
 */
function runs(pid: number, command: string): Promise<boolean> {
  return new Promise((done) => {
    execFile("ps", ["-o", "stat=,command=", "-p", String(pid)], (error, stdout) => {
      // A process that has ended and whose parent has not noticed yet is still listed, as a zombie.
      done(error === null && !stdout.trimStart().startsWith("Z") && stdout.includes(command));
    });
  });
}
