/**
 * How a fuzz test is run: from which seed and with how many cases. Without `FUZZ_SEED` the seed is fixed, so that every run of the suite
 * tries the same; a search for something new is `FUZZ_SEED=$RANDOM FUZZ_CASES=20000`. A failure prints seed and path.
 */
import * as fc from "fast-check";

/** The variables that steer fuzz tests, as the environment of the process has them. */
export interface FuzzVariables {
  readonly FUZZ_SEED?: string | undefined;
  readonly FUZZ_CASES?: string | undefined;
}

const SEED = 20_261_121;

/** Characters of a counterexample that are shown. */
const SHOWN = 3000;

/** Parameters for `fc.assert`: `cases` unless the environment says otherwise. */
export function planOf<T>(
  { FUZZ_SEED, FUZZ_CASES }: FuzzVariables,
  cases: number,
): fc.Parameters<T> & { readonly numRuns: number } {
  return {
    seed: numberIn(FUZZ_SEED) ?? SEED,
    numRuns: numberIn(FUZZ_CASES) ?? cases,
    // Shrinking a case of the whole Worker would take longer than reading it.
    endOnFailure: true,
    reporter: report,
  };
}

function report<T>({ failed, seed, counterexample, counterexamplePath, errorInstance }: fc.RunDetails<T>): void {
  if (!failed) return;
  const where = `FUZZ_SEED=${seed} fails at case ${counterexamplePath}`;
  throw new Error(`${where}: ${fc.stringify(counterexample).slice(0, SHOWN)}`, { cause: errorInstance });
}

function numberIn(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;
}
