/**
 * Where a text is kept: in the files of an engine's state, databases of objects and history included, and in what it logged.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** The files below a directory that contain the text. */
export async function filesWith(directory: string, text: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    // A log that was just merged into its database is gone.
    const bytes = await readFile(join(entry.parentPath, entry.name)).catch(() => Buffer.alloc(0));
    if (bytes.includes(text)) found.push(entry.name);
  }
  return found;
}
