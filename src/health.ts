/**
 * Whether the engine can read and write its storage (API-27). Owns the questions asked of it and how often: anybody may ask, so an isolate
 * asks its storage at most once a second, and writes no row.
 */
import type { Bindings } from "./bindings.ts";
import { messageOf } from "./errors.ts";
import { ensureSchema } from "./history/schema.ts";
import { HEALTH } from "./limits.ts";
import { environmentStub } from "./objects.ts";

/** A part of the engine's storage. */
type StoragePart = "database" | "objects";

interface Look {
  /** ms since 1970. */
  readonly at: number;
  readonly failing: readonly StoragePart[];
}

const looks = new WeakMap<Bindings, Look>();

/** The parts that fail, at most {@link HEALTH} `age` ago; empty when all is well. `now` in ms. Never throws. */
export async function failingStorage(bindings: Bindings, environmentId: string, now: number): Promise<Look["failing"]> {
  const known = looks.get(bindings);
  if (known !== undefined && now - known.at < HEALTH.age) return known.failing;
  const parts: readonly (readonly [StoragePart, () => Promise<unknown>])[] = [
    ["database", () => tryDatabase(bindings.DB)],
    ["objects", () => environmentStub(bindings, environmentId).alive()],
  ];
  const failed = await Promise.all(parts.map(async ([part, ask]) => ((await answers(part, ask)) ? [] : [part])));
  const failing = failed.flat();
  looks.set(bindings, { at: now, failing });
  return failing;
}

// It changes no row, but begins a write, which a database that only reads refuses.
async function tryDatabase(db: D1Database): Promise<void> {
  await ensureSchema(db);
  await db.prepare("UPDATE catalog_versions SET version = version WHERE environment_id IS NULL").run();
}

async function answers(part: StoragePart, ask: () => Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${HEALTH.patience} ms`)), HEALTH.patience);
  });
  try {
    await Promise.race([ask(), late]);
    return true;
  } catch (error) {
    console.error(`health: ${part}: ${messageOf(error)}`);
    return false;
  } finally {
    clearTimeout(timer ?? null);
  }
}
