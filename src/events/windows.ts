/**
 * The open windows of a function, and closing one before its time (FC-28). Owns no state: the directory names the windows, and each is
 * asked, because only the window knows.
 */
import type { Bindings } from "../bindings.ts";
import { FANOUT } from "../limits.ts";
import { directoryStub, windowStub } from "../objects.ts";
import type { GatherKind, OpenWindow } from "./gathering.ts";
import { inParallel } from "./parallel.ts";

/** Whose windows. */
interface Owner {
  readonly environmentId: string;
  /** UUID. */
  readonly functionId: string;
}

/** An open window with its kind. */
export interface ListedWindow extends OpenWindow {
  readonly kind: GatherKind;
}

/** The open windows, those that opened first come first; `more` when there are others than those listed. */
export async function openWindows(
  bindings: Bindings,
  { environmentId, functionId }: Owner,
): Promise<{ readonly windows: readonly ListedWindow[]; readonly more: boolean }> {
  const directory = directoryStub(bindings, environmentId, functionId);
  const { entries, more } = await directory.list(["batch", "debounce"]);
  const windows = await inParallel(FANOUT.inline, entries, async ({ kind, key, name, enteredAt }) => {
    if (kind === "line") return null;
    const open = await (await windowStub(bindings, environmentId, kind, { functionId, key })).openWindow();
    if (open === null) await directory.leave(name, enteredAt);
    return open === null ? null : { kind, ...open };
  });
  const open = windows.filter((window) => window !== null);
  return { windows: open.sort((a, b) => a.openedAt - b.openedAt), more };
}

/** Closes the window of a key now. The id of its run, which begins at once; null when none is open. */
export async function runWindowNow(
  bindings: Bindings,
  { environmentId, functionId }: Owner,
  { kind, key }: { readonly kind: GatherKind; readonly key: string },
): Promise<string | null> {
  return await (await windowStub(bindings, environmentId, kind, { functionId, key })).closeWindow();
}
