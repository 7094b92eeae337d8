/** The figures as text. Pure. */
import { SHAPES } from "./app.ts";
import type { Costs } from "./costs.ts";
import type { Percentiles } from "./percentiles.ts";
import type { Figures, Pair } from "./session.ts";

/** Where the figures were taken. */
export interface Machine {
  readonly cores: number;
  readonly node: string;
  readonly state: "memory" | "disk";
}

/** What a cell without a figure shows. */
const NONE = "–";

/** The session as tables of plain text. */
export function report(machine: Machine, { latency, runs, events, burst, cpu, costs }: Figures): string {
  return [
    `${machine.cores} cores, Node ${machine.node}, state ${machine.state === "memory" ? "in memory" : "on disk"}`,
    table(
      ["throughput, 32 clients", "Millrace", "floor", "share"],
      [
        versus("runs/s without steps, bare app", runs.none),
        versus("runs/s of 3 steps, bare app", runs.sequence),
        alone("runs/s without steps, official SDK", runs.sdk.none),
        alone("runs/s of 3 steps, official SDK", runs.sdk.sequence),
        alone("steps/s of 3 steps, official SDK", runs.sdk.sequence * SHAPES.sequence),
        alone("runs/s of 3 steps, checkpointed", runs.checkpointed),
        alone("runs/s of 5 parallel steps", runs.parallel),
        alone("steps/s of 5 parallel steps", runs.parallel * SHAPES.parallel),
        alone("events/s, one per request", events.single),
        alone("events/s, 100 per request", events.batched),
      ],
    ),
    table(
      ["latency while idle, ms", "p50", "p95", "p99", "floor p50", "times"],
      [
        times("event to first call, no step", latency.none.millrace.firstCall, latency.none.floor.firstCall),
        times("event to first call, 3 steps", latency.sequence.millrace.firstCall, latency.sequence.floor.firstCall),
        times("reply to next call", latency.sequence.millrace.nextCall, latency.sequence.floor.nextCall),
        times("event to end, no step", latency.none.millrace.whole, latency.none.floor.whole),
        times("event to end, 3 steps", latency.sequence.millrace.whole, latency.sequence.floor.whole),
      ],
    ),
    table(
      ["200 concurrent runs of 3 steps", "runs/s", "times Workflows"],
      [
        ["Millrace (each step a call of the app)", rate(burst.millrace), (burst.millrace / burst.workflows).toFixed(2)],
        ["Cloudflare Workflows (steps in process)", rate(burst.workflows), "1"],
      ],
    ),
    table(
      ["processor time per run, ms", "Millrace", "floor"],
      [
        ["workerd, no step", cpuTime(cpu.none.millrace.workerd), cpuTime(cpu.none.floor.workerd)],
        ["workerd, 3 steps", cpuTime(cpu.sequence.millrace.workerd), cpuTime(cpu.sequence.floor.workerd)],
        ["app and clients, no step", cpuTime(cpu.none.millrace.apps), cpuTime(cpu.none.floor.apps)],
        ["app and clients, 3 steps", cpuTime(cpu.sequence.millrace.apps), cpuTime(cpu.sequence.floor.apps)],
      ],
    ),
    costTable(costs),
  ].join("\n\n");
}

function costTable(costs: Figures["costs"]): string {
  const { none, sequence, parallel } = costs;
  if (none === null || sequence === null || parallel === null) return "per run: the engine does not count";
  const rows = Object.keys(sequence).map((name) => [
    name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
    ...[none, sequence, parallel].map((of: Costs) => (of[name] ?? 0).toFixed(2)),
  ]);
  return table(["per run", "no step", "3 steps", "5 parallel"], rows);
}

function versus(name: string, { millrace, floor }: Pair<number>): string[] {
  return [name, rate(millrace), rate(floor), `${Math.round((100 * millrace) / floor)} %`];
}

function alone(name: string, value: number | null): string[] {
  return [name, rate(value), NONE, NONE];
}

function times(name: string, ours: Percentiles | null, floors: Percentiles | null): string[] {
  if (ours === null || floors === null) return [name, NONE, NONE, NONE, NONE, NONE];
  return [name, ms(ours.p50), ms(ours.p95), ms(ours.p99), ms(floors.p50), (ours.p50 / floors.p50).toFixed(1)];
}

function rate(value: number | null): string {
  return value === null ? NONE : Math.round(value).toLocaleString("en");
}

function ms(value: number): string {
  return value.toFixed(1);
}

function cpuTime(value: number | null): string {
  return value === null ? NONE : value.toFixed(2);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [line(head), rule, ...rows.map(line)].join("\n");
}
