import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Bindings } from "../../../src/bindings.ts";
import {
  BRANCHES,
  checkName,
  environmentOf,
  isStored,
  keyHolder,
  LOCAL,
  PRODUCTION,
  slugOf,
  standing,
} from "../../../src/environments/environment.ts";
import { ENVIRONMENT } from "../../../src/limits.ts";
import { readSettings } from "../../../src/settings.ts";

// Settings look at variables only.
const settingsIn = (mode: string) => readSettings({ MILLRACE_MODE: mode } as Bindings);
const [dev, cloud] = [settingsIn("dev"), settingsIn("cloud")];

describe("EV-21: the environments that always exist", () => {
  it("are one in dev mode, and production and what branches share in cloud mode", () => {
    expect(standing(dev).map(({ kind }) => kind)).toEqual(["local"]);
    expect(standing(cloud).map(({ kind }) => kind)).toEqual(["production", "branches"]);
    expect([environmentOf(dev), environmentOf(cloud)]).toEqual([LOCAL, PRODUCTION]);
  });

  it("are not stored, are never archived, and have ids of their own", () => {
    const all = [...standing(dev), ...standing(cloud)];
    expect(new Set(all.map(({ id }) => id)).size).toBe(3);
    for (const environment of all) {
      expect(isStored(environment)).toBe(false);
      expect(environment).toMatchObject({ archivedAt: null, autoArchive: false });
    }
    expect(isStored({ id: crypto.randomUUID() })).toBe(true);
  });

  it("EV-22: a branch's keys are those of all branches, every other environment has its own", () => {
    expect(keyHolder({ id: "b", kind: "branch" })).toBe(BRANCHES.id);
    expect(keyHolder({ id: "c", kind: "custom" })).toBe("c");
    expect(keyHolder({ id: PRODUCTION.id, kind: "production" })).toBe(PRODUCTION.id);
  });
});

describe("EV-23: names", () => {
  it.each([
    ["feature/My Branch", "feature-my-branch"],
    ["pr-7", "pr-7"],
    ["--x--", "x"],
    ["ÄÖ", "environment"],
    ["a".repeat(80), "a".repeat(63)],
    [`${"a".repeat(62)}-b`, "a".repeat(62)],
  ])("%s has the slug %s", (name, slug) => {
    expect(slugOf(name)).toBe(slug);
  });

  it("a slug can stand in a host, whatever the name is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        expect(slugOf(name)).toMatch(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/);
      }),
    );
  });

  it("have 1 to 255 characters, and are those that were sent", () => {
    for (const name of ["x", "feature/äöü", "n".repeat(ENVIRONMENT.nameLength)])
      expect(() => checkName(name)).not.toThrow();
    for (const name of ["", "  ", "n".repeat(ENVIRONMENT.nameLength + 1), "f\uFFFDr"]) {
      expect(() => checkName(name)).toThrow(expect.objectContaining({ code: "invalid_request" }));
    }
  });
});
