/**
 * Bundles a Worker with wrangler, exactly as a deployment would. Owns the output directory and the decision that it is still fresh;
 * guarantees that a directory it returns is complete: a build happens beside it and takes its place in one rename.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");

/** The sources do not bundle; the message is wrangler's own. */
export class BuildFailed extends Error {
  override readonly name = "BuildFailed";
}

/** What to bundle. Paths are relative to the repository. */
export interface WorkerTarget {
  /** The wrangler configuration. */
  readonly config: string;
  /** Where the bundle goes. */
  readonly outDir: string;
  /** Files and directories whose content decides whether a bundle is still fresh. */
  readonly sources: readonly string[];
}

/** The engine itself. */
export const ENGINE: WorkerTarget = {
  config: "wrangler.toml",
  outDir: "dist/worker",
  sources: ["wrangler.toml", "package-lock.json", "src", "durable-objects", "migrations"],
};

const STAMP = ".fresh";

/**
 * Bundles `target` unless its last bundle still fits; answers the absolute bundle directory. Throws {@link BuildFailed}.
 * `signal` ends a build that is under way.
 */
export async function buildWorker(target: WorkerTarget = ENGINE, signal?: AbortSignal): Promise<string> {
  const outDir = resolve(ROOT, target.outDir);
  const sources = await digest(target.sources.map((path) => resolve(ROOT, path)));
  if ((await readStamp(outDir)) === `${sources} ${await digest([outDir])}`) return outDir;
  const fresh = `${outDir}.${process.pid}`;
  try {
    await wrangler(["deploy", "--dry-run", "--config", resolve(ROOT, target.config), "--outdir", fresh], signal);
    await writeFile(join(fresh, STAMP), `${sources} ${await digest([fresh])}`);
    await mkdir(dirname(outDir), { recursive: true });
    await rm(outDir, { recursive: true, force: true });
    await rename(fresh, outDir);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw error;
  }
  return outDir;
}

/** One hash over the names and contents of files, directories included with all they hold; a missing path counts as empty. */
async function digest(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) {
    for (const file of await filesOf(path)) {
      hash.update(`${relative(path, file)}\0`).update(await readFile(file));
    }
  }
  return hash.digest("hex");
}

async function filesOf(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true, recursive: true });
    const files = entries.filter((entry) => entry.isFile() && entry.name !== STAMP);
    return files.map((entry) => join(entry.parentPath, entry.name)).sort();
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") return [path];
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

async function readStamp(outDir: string): Promise<string | null> {
  try {
    return await readFile(join(outDir, STAMP), "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/**
 * Runs wrangler with the Node that runs us; its output is kept for the error and not shown otherwise.
 * Not through its `bin`, which starts a second process that would outlive an aborted build.
 */
function wrangler(args: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  const home = dirname(createRequire(import.meta.url).resolve("wrangler/package.json"));
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, ["--no-warnings", join(home, "wrangler-dist/cli.js"), ...args], {
      ...(signal === undefined ? {} : { signal }),
      cwd: ROOT,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.once("error", fail);
    child.once("close", (code) => {
      if (code === 0) done();
      else fail(new BuildFailed(`The Worker could not be built (wrangler exit code ${code}):\n${output.trim()}`));
    });
  });
}
