/**
 * The order in which test files start. It changes no result, only how long all of them take together: the files of a folder stay side by
 * side, because one process can take over the next file of its own suite only, and nothing long is left for the end, when all but one
 * worker have nothing more to do.
 */
import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Folders from first to last; what is in none of them comes before all. Those that compute alternate with those that wait. */
const FOLDERS = [
  "test/durable-objects/crash/",
  "test/cli/",
  "test/faults/",
  "test/durable-objects/fuzz/",
  "test/browser/",
  "test/conformance/",
  "test/simulation/",
  "test/durable-objects/",
  // Small files, many to a process.
  "test/src/",
];

/** Vitest's own order within each folder, which is by size. */
export class FoldersInOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config;
    const rank = ({ moduleId }: TestSpecification): number => {
      const path = relative(root, moduleId);
      return FOLDERS.findIndex((folder) => path.startsWith(folder));
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
