/**
 * Processor time of a run. Unlike rates it hardly depends on what else the machine does, and it says who is the bottleneck:
 * workerd works on one thread, and so does the process of apps and clients.
 */
import { readFileSync } from "node:fs";
import type { Shape } from "./app.ts";
import { repeat } from "./driver.ts";
import type { Subject } from "./subject.ts";

/** ms of processor time per run. */
export interface Cpu {
  /** Null where the system does not tell. */
  readonly workerd: number | null;
  /** Apps and clients together, which share a process. */
  readonly apps: number;
}

/** Linux counts processor time in hundredths of a second. */
const TICK = 10;

/** Measures `runs` runs of `shape` under the load of all clients. */
export async function cpuPerRun<Runs extends Shape>(subject: Subject<Runs>, shape: Runs, runs: number): Promise<Cpu> {
  const send = subject.send(shape);
  const before = { workerd: timeOf(subject.pid()), apps: process.cpuUsage() };
  await repeat(runs, Number.POSITIVE_INFINITY, async () => {
    const { run, finished } = subject.ledger.expect();
    await send(run);
    await finished;
  });
  const apps = process.cpuUsage(before.apps);
  const after = timeOf(subject.pid());
  return {
    workerd: after === null || before.workerd === null ? null : (after - before.workerd) / runs,
    apps: (apps.user + apps.system) / 1000 / runs,
  };
}

/** ms a process has used so far, in user and kernel mode; null where there is no such file. */
function timeOf(pid: number): number | null {
  try {
    // The name in parentheses may contain blanks; user and system time are fields 14 and 15.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * TICK;
  } catch {
    return null;
  }
}
