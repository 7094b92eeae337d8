/**
 * Lines the local runtime writes. Owns which of them say nothing to anyone; pure.
 * A line is dropped only when it is known to be harmless: whatever is not recognised is shown.
 */

/** One line of the Worker's console or of the runtime itself; `level` is `log`, `info`, `debug`, `warn` or `error`. */
export interface RuntimeLine {
  readonly level: string;
  readonly text: string;
}

const NOISE: readonly RegExp[] = [
  // Said by Miniflare before it restarts workerd; the launcher says it once the restart has succeeded or failed.
  /^The Workers runtime crashed unexpectedly and is being restarted/,
];

/** True for a line that is known to mean nothing. */
export function isNoise(line: RuntimeLine): boolean {
  return NOISE.some((pattern) => pattern.test(line.text));
}
