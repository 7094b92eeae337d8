/**
 * Limits of single functions that a test has set in dev mode (DEV-19). Owns them: they are in this isolate's memory, which local development
 * shares with every object, and are gone when it ends.
 */
import type { RunIdentity } from "../decide/run/identity.ts";

/** What a test may set; what is absent is as the settings say. */
export interface TestLimits {
  /** Steps of a run. */
  readonly maxSteps?: number;
  /** Bytes of a run's state. */
  readonly stateBytes?: number;
}

const limits = new Map<string, TestLimits>();

/** Sets a limit of a function, or with null gives it back to the settings. */
export function setTestLimit(
  environmentId: string,
  functionId: string,
  limit: keyof TestLimits,
  value: number | null,
): void {
  const { [limit]: _, ...others } = limits.get(nameOf(environmentId, functionId)) ?? {};
  limits.set(nameOf(environmentId, functionId), value === null ? others : { ...others, [limit]: value });
}

/** The limits that are set for a run's function; none in cloud mode, where nobody can set any. */
export function testLimitsOf({
  environmentId,
  function: { id },
}: Pick<RunIdentity, "environmentId" | "function">): TestLimits {
  return limits.get(nameOf(environmentId, id)) ?? {};
}

function nameOf(environmentId: string, functionId: string): string {
  return `${environmentId} ${functionId}`;
}
