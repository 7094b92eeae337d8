import { beforeEach, describe, expect, it } from "vitest";
import { archive, unarchive } from "../../src/apps/archive.ts";
import { catalogOf, currentCatalog } from "../../src/apps/catalog.ts";
import { saveStatements } from "../../src/apps/store.ts";
import { CATALOG } from "../../src/limits.ts";
import { bindings, freshEnvironment } from "./records.ts";
import { registerFunctions } from "./registered.ts";

let environmentId = "";

beforeEach(async () => {
  environmentId = freshEnvironment();
  await registerFunctions(bindings.DB, environmentId, { fn: ["app/a"], other: ["app/a"] });
});

/** A change by another isolate, of which this one hears only when it looks. */
async function elsewhere(): Promise<void> {
  const app = { id: "app-id", name: "shop", url: "http://app.test/", method: "serve" as const, sdk: "js:v4.24.0" };
  const facts = { framework: null, platform: null, appVersion: null, capabilities: "{}", checksum: "", syncedAt: 1 };
  await bindings.DB.batch(saveStatements(bindings.DB, environmentId, { ...app, ...facts, functions: [] }));
}

describe("the catalog of an isolate", () => {
  it("API-6: is a little old for those that route, and never for those that show it", async () => {
    const now = Date.now();
    const active = async (read: typeof catalogOf, at: number) =>
      (await read(bindings, environmentId, at)).functionsFor("app/a").length;
    expect(await active(catalogOf, now)).toBe(2);
    await elsewhere();
    expect(await active(catalogOf, now + CATALOG.age - 1)).toBe(2);
    expect(await active(currentCatalog, now + CATALOG.age - 1)).toBe(0);
    expect(await active(catalogOf, now + CATALOG.age - 1)).toBe(0);
  });
});

describe("the catalog of an isolate when the ground moves", () => {
  const active = async (at: number) => (await catalogOf(bindings, environmentId, at)).functionsFor("app/a").length;

  it("row 29: a database restored to an earlier time replaces what is known of a later one, for good", async () => {
    const now = Date.now();
    const tables = ["apps", "functions", "catalog_versions"];
    const then = new Map<string, Record<string, string | number | null>[]>();
    for (const table of tables) {
      const select = bindings.DB.prepare(`SELECT * FROM ${table} WHERE environment_id = ?1`).bind(environmentId);
      then.set(table, (await select.all<Record<string, string | number | null>>()).results);
    }
    await elsewhere();
    expect(await active(now)).toBe(0);
    for (const [table, rows] of then) {
      await bindings.DB.prepare(`DELETE FROM ${table} WHERE environment_id = ?1`).bind(environmentId).run();
      for (const row of rows) {
        const places = Object.keys(row).map((_, at) => `?${at + 1}`);
        const insert = `INSERT INTO ${table} (${Object.keys(row)}) VALUES (${places})`;
        await bindings.DB.prepare(insert)
          .bind(...Object.values(row))
          .run();
      }
    }
    expect(await active(now + 2 * CATALOG.age)).toBe(2);
    expect(await active(now + 2 * CATALOG.age)).toBe(2);
  });

  it("row 9: a clock that goes back makes it look, not trust", async () => {
    const now = Date.now();
    expect(await active(now)).toBe(2);
    await elsewhere();
    expect(await active(now - 60_000)).toBe(0);
  });
});

describe("archiving by hand", () => {
  const statuses = async () => {
    const { functions } = await currentCatalog(bindings, environmentId, Date.now());
    return Object.fromEntries(functions.map(({ slug, archived }) => [slug, archived]));
  };

  it("AP-24, AP-25: an app takes its functions along and gives back those that were not archived themselves", async () => {
    expect(await archive(bindings, environmentId, "function", "id-of-other", 5)).toBe(true);
    expect(await archive(bindings, environmentId, "function", "id-of-other", 6)).toBe(false);
    expect(await archive(bindings, environmentId, "app", "app-id", 7)).toBe(true);
    expect(await statuses()).toEqual({ fn: true, other: true });
    expect(await unarchive(bindings, environmentId, "app", "app-id")).toBe(true);
    expect(await unarchive(bindings, environmentId, "app", "app-id")).toBe(false);
    expect(await statuses()).toEqual({ fn: false, other: true });
    expect(await unarchive(bindings, environmentId, "function", "id-of-other")).toBe(true);
    expect(await archive(bindings, environmentId, "app", "nobody", 8)).toBe(false);
    expect(await statuses()).toEqual({ fn: false, other: false });
  });

  it("SE-8: reaches into no other environment", async () => {
    expect(await archive(bindings, freshEnvironment(), "app", "app-id", 5)).toBe(false);
    expect(await statuses()).toEqual({ fn: false, other: false });
  });
});
