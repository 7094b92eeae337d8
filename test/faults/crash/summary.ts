/**
 * A campaign as text. Pure.
 */
import type { Outcome } from "./campaign.ts";

/** Violations shown of one check. */
const SHOWN = 10;

/** Figures and verdicts, one line each, and what was wrong below. */
export function summaryOf({ options, figures, verdicts }: Outcome): string {
  const lines = [`seed ${options.seed}, ${options.kills} kills`, ""];
  for (const [what, figure] of Object.entries(figures)) lines.push(`${what.padEnd(32)} ${figure ?? "never"}`);
  lines.push("", `${"".padEnd(3)} ${"checked".padStart(8)} ${"wrong".padStart(6)}`);
  for (const { invariant, what, looked, violations } of verdicts) {
    lines.push(
      `${invariant.padEnd(3)} ${String(looked).padStart(8)} ${String(violations.length).padStart(6)}  ${what}`,
    );
    lines.push(...violations.slice(0, SHOWN).map((violation) => `      ✗ ${violation}`));
  }
  return lines.join("\n");
}
