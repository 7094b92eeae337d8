import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { PLANTED_BUGS } from "../simulation/planted/bugs.ts";
import { bugNamed, plant } from "../simulation/planted/plant.ts";

const ROOT = resolve(import.meta.dirname, "../..");

describe("planted bugs", () => {
  it.each(PLANTED_BUGS)("$name: its place is in the code, exactly once", (bug) => {
    const text = readFileSync(resolve(ROOT, bug.file), "utf8");
    expect(plant(bug, text)).not.toBe(text);
  });

  it("have names of their own", () => {
    expect(new Set(PLANTED_BUGS.map(({ name }) => name)).size).toBe(PLANTED_BUGS.length);
  });

  it("a place that is gone, or there twice, is an error, and so is a name that nobody knows", () => {
    const bug = { name: "b", file: "f.ts", find: "here", replace: "there", why: "" };
    expect(plant(bug, "it is here")).toBe("it is there");
    expect(() => plant(bug, "it is gone")).toThrow(/exactly once in f\.ts: here/);
    expect(() => plant(bug, "here and here")).toThrow(/exactly once/);
    expect(bugNamed([bug], undefined)).toBeNull();
    expect(bugNamed([bug], "b")).toBe(bug);
    expect(() => bugNamed([bug], "c")).toThrow(/No planted bug is named "c"/);
  });
});
