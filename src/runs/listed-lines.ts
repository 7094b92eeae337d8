/**
 * The lines in which runs of a function wait, and what is to be said to them all. Owns no state: the directory names the lines, and each is
 * asked, because only the line knows.
 */

import type { RegisteredFunction } from "../apps/function.ts";
import { limitOn, noLimit } from "../apps/line-limit.ts";
import type { Bindings } from "../bindings.ts";
import type { LineRef } from "../decide/capacity/line.ts";
import type { LineLoad, LineView } from "../decide/capacity/view.ts";
import { messageOf } from "../errors.ts";
import type { ListedEntry } from "../events/directory.ts";
import { inParallel } from "../events/parallel.ts";
import { CAPACITY } from "../limits.ts";
import { capacityNamed, capacityStub, directoryStub } from "../objects.ts";
import { settingsOf } from "../settings.ts";

/** A line in which runs of the function wait, or did lately. */
export interface ListedLine extends LineLoad {
  readonly line: LineRef;
}

/** The contended lines of a function, in the order in which they became so; `more` when there are others than those listed. */
export async function contendedLines(
  bindings: Bindings,
  environmentId: string,
  functionId: string,
): Promise<{ readonly lines: readonly ListedLine[]; readonly more: boolean }> {
  const { entries, more } = await directoryStub(bindings, environmentId, functionId).list(["line"]);
  const lines = await inParallel(CAPACITY.parallel, entries, (entry) =>
    ask(bindings, environmentId, functionId, entry),
  );
  return { lines: lines.filter((line) => line !== null).filter(({ waiting }) => waiting > 0), more };
}

/** One line, contended or not, as the environment may see it. */
export async function viewLine(bindings: Bindings, environmentId: string, line: LineRef): Promise<LineView> {
  return await (await capacityStub(bindings, environmentId, line)).view(environmentId);
}

/**
 * Tells every line in which runs of a function wait what the function's limit on it is now (FC-11). A line that cannot be reached learns it
 * from the next run that speaks to it; its failure is logged.
 */
export async function relimitLines(
  bindings: Bindings,
  environmentId: string,
  registered: RegisteredFunction,
): Promise<void> {
  const { id, version } = registered;
  const ceiling = settingsOf(bindings).maxConcurrency;
  const directory = directoryStub(bindings, environmentId, id);
  let last: ListedEntry | null = null;
  do {
    const { entries, more } = await directory.list(["line"], last);
    await inParallel(CAPACITY.parallel, entries, async (entry) => {
      try {
        const found = await ask(bindings, environmentId, id, entry);
        if (found === null) return;
        const limit = limitOn(found.line, registered, ceiling) ?? noLimit(version);
        await capacityNamed(bindings, entry.name).relimit(id, limit);
      } catch (error) {
        console.error(`A line of function ${id} was not told of its changed limit: ${messageOf(error)}`);
      }
    });
    last = more ? (entries.at(-1) ?? null) : null;
  } while (last !== null);
}

/** Null when the line is not listed as it believes: then it is removed. */
async function ask(
  bindings: Bindings,
  environmentId: string,
  functionId: string,
  { name, enteredAt }: ListedEntry,
): Promise<ListedLine | null> {
  const summary = await capacityNamed(bindings, name).summary(functionId);
  if (summary?.listed === true) return summary;
  await directoryStub(bindings, environmentId, functionId).leave(name, enteredAt);
  return null;
}
