/**
 * Follows the workerd process behind one Miniflare instance, which hides it and replaces it after a crash.
 * Guarantees that processes of other instances in the same program are never taken for ours, and that no workerd outlives the program.
 *
 * Node announces every child process on a diagnostics channel; which instance asked for it is known from the async context in which
 * the instance was created, because Miniflare starts and restarts workerd from promises that began there.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { endWithUs } from "./orphan.ts";

/** The workerd process of one instance. */
export interface Workerd {
  /** The process that runs now; null while there is none. */
  running(): { readonly pid: number; readonly child: ChildProcess } | null;
  /** SIGKILL; resolves when the process is gone, at once when there is none. */
  kill(): Promise<void>;
}

class Followed implements Workerd {
  latest: ChildProcess | null = null;

  running(): { readonly pid: number; readonly child: ChildProcess } | null {
    const child = this.latest;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return null;
    return { pid: child.pid, child };
  }

  kill(): Promise<void> {
    const running = this.running();
    if (running === null) return Promise.resolve();
    return new Promise((done) => {
      running.child.once("exit", () => done());
      running.child.kill("SIGKILL");
    });
  }
}

const context = new AsyncLocalStorage<Followed>();

// One subscription for the life of the program: outside of a followed context it does nothing.
subscribe("child_process", (message) => {
  const followed = context.getStore();
  if (followed === undefined || typeof message !== "object" || message === null || !("process" in message)) return;
  if (!(message.process instanceof ChildProcess)) return;
  const child = message.process;
  followed.latest = child;
  // Outside of the context: the guard is a child process too, and not the one that is followed.
  context.exit(() => child.once("spawn", () => context.exit(() => endWithUs(child))));
});

/** Runs `create` and follows the workerd that whatever it creates will start. */
export function follow<T>(create: () => T): { readonly created: T; readonly workerd: Workerd } {
  const workerd = new Followed();
  return { created: context.run(workerd, create), workerd };
}
