/**
 * Deliberate defects: what each is, and how it gets into the code. They are never in the code itself, which knows nothing of them; a test
 * or a bundle is made from a text in which one of them was written. Guarantees that a defect whose place has changed is an error.
 */
import { relative, resolve } from "node:path";

/** A slip that somebody could have made. The schedules must find it (faults.md §4, method d). */
export interface PlantedBug {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** What is broken by it, and what should notice. */
  readonly why: string;
  /** Where it is looked for, which saves time; in all suites when it is left out. */
  readonly suites?: readonly string[];
}

const ROOT = resolve(import.meta.dirname, "../../..");

/** The text of the defect's file with the defect. Throws when its place does not occur exactly once. */
export function plant({ name, file, find, replace }: PlantedBug, text: string): string {
  const [before, after, ...others] = text.split(find);
  if (before === undefined || after === undefined || others.length > 0) {
    throw new Error(`The planted bug "${name}" needs its text exactly once in ${file}: ${find}`);
  }
  return before + replace + after;
}

/** For Vite: plants a defect, or nothing. */
export function planting(bug: PlantedBug | null) {
  return {
    name: "planted-bug",
    enforce: "pre" as const,
    transform: (text: string, id: string) =>
      bug !== null && relative(ROOT, id.split("?")[0] ?? id) === bug.file ? plant(bug, text) : undefined,
  };
}

/** The defect of this name; null for none. Throws when nobody knows it. */
export function bugNamed(bugs: readonly PlantedBug[], name: string | undefined): PlantedBug | null {
  if (name === undefined || name === "") return null;
  const bug = bugs.find((one) => one.name === name);
  if (bug === undefined)
    throw new Error(`No planted bug is named "${name}": ${bugs.map((one) => one.name).join(", ")}`);
  return bug;
}
