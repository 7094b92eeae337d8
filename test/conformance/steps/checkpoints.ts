/**
 * What an SDK tells the engine while a call is under way: every checkpoint with its operations and the engine's reply.
 * Owns the recording client and how a test spoils a checkpoint on its way.
 */
import * as z from "zod";
import type { Scenario } from "../harness/scenario.ts";
import type { Client, ClientOptions } from "../harness/sdk.ts";

/** A checkpoint, as sent and as answered. */
export interface Checkpoint {
  /** Opcodes, `StepRun` … */
  readonly ops: readonly string[];
  readonly status: number;
}

/** What happens to the `n`-th checkpoint, from 1: it passes, it is answered in the engine's place, or only its reply is lost. */
export type Spoiling = (n: number) => "pass" | "refuse" | "lose";

/** A client whose checkpoints are recorded. */
export interface Recording {
  readonly client: Client;
  readonly checkpoints: readonly Checkpoint[];
}

const bodySchema = z.object({ steps: z.array(z.looseObject({ op: z.string() })) });

/** A client of the scenario's app that checkpoints, by default or as told. */
export function recordedClient(
  scenario: Scenario,
  checkpointing: ClientOptions["checkpointing"] = true,
  spoiling: Spoiling = () => "pass",
): Recording {
  const checkpoints: Checkpoint[] = [];
  let sent = 0;
  const recording: typeof fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (!url.includes("/v1/checkpoint/")) return await fetch(input, init);
    const { steps } = bodySchema.parse(JSON.parse(String(init?.body)));
    sent++;
    const way = spoiling(sent);
    const refusal = new Response("spoiled", { status: 503 });
    const reply = way === "refuse" ? refusal : await fetch(input, init);
    const seen = way === "lose" ? refusal : reply;
    checkpoints.push({ ops: steps.map(({ op }) => op), status: seen.status });
    return seen;
  };
  return { client: scenario.newClient({ checkpointing, fetch: recording }), checkpoints };
}
