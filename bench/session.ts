/**
 * One session of the benchmark: what is measured, in which order. Millrace, the floor and the peer run side by side, idle unless measured,
 * and take turns: what else the machine does meanwhile then falls on all of them alike.
 */
import { SHAPES, type Shape } from "./app.ts";
import { type Costs, costs } from "./costs.ts";
import { type Cpu, cpuPerRun } from "./cpu.ts";
import { burst, type Latencies, latencies, perSecond, throughput, withDeadline } from "./driver.ts";
import type { Millrace } from "./millrace.ts";
import { median } from "./percentiles.ts";
import { type Scale, settle } from "./scale.ts";
import type { Subject } from "./subject.ts";
import type { Workflows } from "./workflows/workflows.ts";

/** What takes part. */
export interface Subjects {
  readonly millrace: Millrace;
  readonly floor: Subject<"none" | "sequence">;
  readonly workflows: Workflows;
}

/** A figure of ours beside the floor's. */
export interface Pair<T> {
  readonly millrace: T;
  readonly floor: T;
}

/** All that a session finds; rates are per second. */
export interface Figures {
  readonly latency: { readonly none: Pair<Latencies>; readonly sequence: Pair<Latencies> };
  /** Runs: of apps without an SDK beside the floor, then of the official one; `checkpointed` is null while the engine declines it. */
  readonly runs: {
    readonly none: Pair<number>;
    readonly sequence: Pair<number>;
    readonly sdk: Readonly<Record<"none" | "sequence", number>>;
    readonly parallel: number;
    readonly checkpointed: number | null;
  };
  readonly events: { readonly single: number; readonly batched: number };
  /** Runs, of 200 concurrent ones with three steps. */
  readonly burst: { readonly millrace: number; readonly workflows: number };
  /** Processor time per run. */
  readonly cpu: { readonly none: Pair<Cpu>; readonly sequence: Pair<Cpu> };
  /** Units per run; null when the engine does not count. */
  readonly costs: Readonly<Record<Shape, Costs | null>>;
}

/** Events of one request in the batched ingest figure. */
const BATCH = 100;
/** Runs of a burst. */
const BURST = 200;

/** Measures everything. `say` is told what comes next. */
export async function measure(subjects: Subjects, scale: Scale, say: (what: string) => void): Promise<Figures> {
  const { millrace, floor, workflows } = subjects;
  say("warming up");
  for (const shape of ["none", "sequence", "parallel"] as const) {
    await throughput(millrace.ledger, millrace.send(shape), scale.warm);
    if (shape !== "parallel") await throughput(millrace.ledger, millrace.sendBare(shape), scale.warm);
    if (shape !== "parallel") await throughput(floor.ledger, floor.send(shape), scale.warm);
  }
  await workflows.burst(scale.warm);
  await settle();

  say("latency while idle");
  const latencyOf = async (shape: "none" | "sequence"): Promise<Pair<Latencies>> => ({
    millrace: await latencies(millrace.ledger, millrace.send(shape), scale.latency),
    floor: await latencies(floor.ledger, floor.send(shape), scale.latency),
  });
  const latency = { none: await latencyOf("none"), sequence: await latencyOf("sequence") };

  say("runs per second");
  const runsOf = (shape: "none" | "sequence") =>
    alternating(
      scale.rounds,
      () => throughput(millrace.ledger, millrace.sendBare(shape), scale.runs[shape]),
      () => throughput(floor.ledger, floor.send(shape), scale.runs[shape]),
    );
  const [none, sequence] = [pair(await runsOf("none")), pair(await runsOf("sequence"))];
  const sdkOf = (shape: "none" | "sequence") => throughput(millrace.ledger, millrace.send(shape), scale.runs[shape]);
  const sdk = { none: await sdkOf("none"), sequence: await sdkOf("sequence") };
  const parallel = await throughput(millrace.ledger, millrace.send("parallel"), scale.runs.parallel);
  const checkpointed = await measureCheckpointed(millrace, scale);

  say(`${BURST} runs at once`);
  const [ours, peers] = await alternating(
    scale.rounds,
    () => burst(millrace.ledger, millrace.send("sequence"), BURST),
    () => workflows.burst(BURST),
  );

  say("events per second");
  await settle();
  const events = await measureIngest(millrace, scale);

  say("costs of a run");
  const cpuOf = async (shape: "none" | "sequence"): Promise<Pair<Cpu>> => ({
    millrace: await cpuPerRun(millrace, shape, scale.cpu),
    floor: await cpuPerRun(floor, shape, scale.cpu),
  });
  const cpu = { none: await cpuOf("none"), sequence: await cpuOf("sequence") };
  const costOf = (shape: Shape) => costs(millrace, millrace.ledger, millrace.send(shape), scale.costs);
  return {
    latency,
    runs: { none, sequence, sdk, parallel, checkpointed },
    events,
    burst: { millrace: ours, workflows: peers },
    cpu,
    costs: { none: await costOf("none"), sequence: await costOf("sequence"), parallel: await costOf("parallel") },
  };
}

/** The medians of two measurements that take turns. */
async function alternating(
  rounds: number,
  one: () => Promise<number>,
  other: () => Promise<number>,
): Promise<readonly [number, number]> {
  const ones: number[] = [];
  const others: number[] = [];
  for (let round = 0; round < rounds; round++) {
    ones.push(await one());
    others.push(await other());
  }
  return [median(ones), median(others)];
}

function pair([millrace, floor]: readonly [number, number]): Pair<number> {
  return { millrace, floor };
}

/** Runs per second with checkpointing; null when the engine makes the app go step by step all the same. */
async function measureCheckpointed({ ledger, sendCheckpointed }: Millrace, scale: Scale): Promise<number | null> {
  const send = sendCheckpointed("sequence");
  const before = ledger.calls;
  const { run, finished } = ledger.expect();
  await send(run);
  await withDeadline(finished);
  if (ledger.calls - before > SHAPES.sequence) return null;
  await throughput(ledger, send, scale.warm);
  return throughput(ledger, send, scale.runs.sequence);
}

/** Events per second that start nothing: one by one, and in requests of 100. */
async function measureIngest({ post }: Millrace, scale: Scale): Promise<Figures["events"]> {
  const event = { name: "bench/unheard", data: { text: "x".repeat(200) } };
  const one = JSON.stringify(event);
  const many = JSON.stringify(Array.from({ length: BATCH }, () => event));
  return {
    single: await perSecond(scale.events, () => post("/e/bench", one)),
    batched: BATCH * (await perSecond(scale.events / (BATCH / 2), () => post("/e/bench", many))),
  };
}
