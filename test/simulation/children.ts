/**
 * Child processes that play schedules, one request at a time each. Owns their lives: one that does not answer is killed, and one that has
 * played many schedules makes room for a new one, so that memory does not grow.
 */
import { type ChildProcess, fork } from "node:child_process";
import type { Order, Told } from "./player.ts";

/** ms for one request; a schedule takes some ten, unless it never comes to rest. */
const PATIENCE = 120_000;
/** Requests of one process. */
const LIFE = 400;

export class Child {
  readonly #file: string;
  #process: ChildProcess | null = null;
  #requests = 0;

  /** Plays from a bundle. */
  constructor(file: string) {
    this.#file = file;
  }

  /** Throws when the child has died, or does not answer in time. */
  async ask<K extends Told["told"]>(order: Order, kind: K): Promise<Extract<Told, { told: K }>> {
    if (this.#requests++ >= LIFE) this.end();
    const child = this.#process ?? this.#begin();
    const told = await new Promise<Told>((resolve, reject) => {
      const settle = (how: () => void) => {
        clearTimeout(timer);
        child.removeAllListeners();
        how();
      };
      const failed = (why: string) => {
        this.end();
        reject(new Error(`${JSON.stringify(order)}: ${why}`));
      };
      const timer = setTimeout(() => settle(() => failed(`no answer within ${PATIENCE / 1000} s`)), PATIENCE);
      child.on("message", (message) => settle(() => resolve(message as Told)));
      child.on("exit", (code) => settle(() => failed(`the process ended with ${code}`)));
      child.send(order);
    });
    if (told.told !== kind) throw new Error(`${JSON.stringify(order)}: unexpected answer ${told.told}`);
    return told as Extract<Told, { told: K }>;
  }

  end(): void {
    this.#process?.kill("SIGKILL");
    this.#process = null;
    this.#requests = 0;
  }

  #begin(): ChildProcess {
    this.#process = fork(this.#file, { serialization: "json", execArgv: ["--no-warnings"] });
    return this.#process;
  }
}
