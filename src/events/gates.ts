/**
 * Gates 6 and 7 of a start (spec/05): rate limit, idempotency, singleton. Owns their order and how their windows are asked; the windows
 * decide. Guarantees that asking again about the same run gets the same answer. A token taken is not given back.
 */
import type { Bindings } from "../bindings.ts";
import type { Replaced } from "../decide/window/singleton.ts";
import { EVENT, WINDOW } from "../limits.ts";
import { runStub, windowStub } from "../objects.ts";
import type { Gates } from "./flow.ts";

/** A run that may be created. */
export interface Applicant {
  readonly runId: string;
  readonly functionId: string;
  /** When it counts, ms since 1970: the same however often it is asked about. */
  readonly at: number;
  /**
   * `counted`: it was triggered, and every gate applies. `wanted`: a user asked for exactly this run (rerun, replay), so it is not skipped
   * and takes nobody's place; only a singleton keeps it waiting (FC-43).
   */
  readonly kind: "counted" | "wanted";
}

/** What the gates say. */
export type Verdict =
  /** It may be created, when those of `replaced` are cancelled. */
  | { readonly verdict: "passed"; readonly replaced: readonly Replaced[] }
  | { readonly verdict: "skipped"; readonly reason: "rate_limited" | "idempotent" | "singleton" }
  /** Only for `wanted`: the singleton has a run. Nothing is remembered; ask again. */
  | { readonly verdict: "busy" };

/** Asks the gates, in their order, whether the run may be created. Throws when a window could not be reached. */
export async function passGates(
  bindings: Bindings,
  environmentId: string,
  { runId, functionId, at, kind }: Applicant,
  { rateLimit, idempotency, singleton }: Gates,
): Promise<Verdict> {
  if (kind === "counted" && rateLimit !== null) {
    const window = await windowStub(bindings, environmentId, "rate-limit", { functionId, key: rateLimit.key });
    if (!(await window.pass(runId, at, rateLimit.limit))) return { verdict: "skipped", reason: "rate_limited" };
  }
  if (kind === "counted" && idempotency !== null) {
    const window = await windowStub(bindings, environmentId, "idempotency", { functionId, key: idempotency.key });
    if (!(await window.pass(runId, at, idempotency.limit))) return { verdict: "skipped", reason: "idempotent" };
  }
  if (singleton === null) return { verdict: "passed", replaced: [] };
  const window = await windowStub(bindings, environmentId, "singleton", { functionId, key: singleton.key });
  const answer = await window.claimSingleton(runId, kind === "wanted" ? "wait" : singleton.mode);
  switch (answer.verdict) {
    case "go":
      return { verdict: "passed", replaced: answer.replaced };
    case "skip":
      return { verdict: "skipped", reason: "singleton" };
    case "busy":
      return { verdict: "busy" };
  }
}

/**
 * Cancels the runs whose place the applicant takes (FC-38). One that is being started by somebody else at this moment is waited for: it
 * must not begin afterwards. Throws when a run could not be reached.
 */
export async function makeWay(
  bindings: Bindings,
  environmentId: string,
  { runId, functionId }: Applicant,
  { singleton }: Gates,
  replaced: readonly Replaced[],
): Promise<void> {
  if (singleton === null) return;
  for (const { runId: other, since } of replaced) {
    const until = since + EVENT.claimGrace;
    while ((await runStub(bindings, environmentId, other).cancel({ by: "singleton", runId })) === "unknown") {
      const left = until - Date.now();
      if (left > 0 && left <= EVENT.claimGrace) {
        await scheduler.wait(WINDOW.look);
        continue;
      }
      const window = await windowStub(bindings, environmentId, "singleton", { functionId, key: singleton.key });
      await window.leaveSingleton(other, "unknown");
      break;
    }
  }
}
