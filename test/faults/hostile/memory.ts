/**
 * How much memory a process has. Owns reading it; Linux only, like the machines that run these tests.
 */
import { readFileSync } from "node:fs";

/** Bytes that the process `pid` has in memory, now and at most so far. */
export function memoryOf(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const bytes = (name: string): number => {
    const [, kib] = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status) ?? [];
    if (kib === undefined) throw new Error(`/proc/${pid}/status has no ${name}`);
    return Number(kib) * 1024;
  };
  return { now: bytes("VmRSS"), peak: bytes("VmHWM") };
}
