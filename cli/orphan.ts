/**
 * Ends child processes that would outlive us: one that is killed can no longer end what it started.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";

/**
 * Makes sure that `child`, which must have been spawned, ends when this program does, even by SIGKILL. A shell waits for the end of its
 * standard input, which we hold open for as long as we live, and then ends the child. Systems without a shell go without.
 */
export function endWithUs(child: ChildProcess): void {
  if (child.pid === undefined || process.platform === "win32") return;
  const guard = spawn("sh", ["-c", 'read -r _; kill -9 "$0"', String(child.pid)], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard.once("error", () => undefined);
  // Process ids are used again: a guard must not outlive what it guards.
  child.once("exit", () => guard.kill("SIGKILL"));
  guard.unref();
  if (guard.stdin instanceof Socket) guard.stdin.unref();
}
