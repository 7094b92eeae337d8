import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Bindings } from "../../src/bindings.ts";
import type { Entry } from "../../src/events/directory.ts";
import { DIRECTORY } from "../../src/limits.ts";
import { directoryStub } from "../../src/objects.ts";

// The plugin binds what wrangler.toml declares, which is what Bindings describes.
const bindings = env as unknown as Bindings;

let functions = 0;
const freshDirectory = () => directoryStub(bindings, "env-directory", `fn-${functions++}`);

const entry = (key: string, kind: Entry["kind"] = "batch"): Entry => ({ kind, key, name: `${kind}:${key}` });

describe("Directory", () => {
  it("FC-28: lists what entered and did not leave, of the kinds that are asked for", async () => {
    const directory = freshDirectory();
    expect(await directory.list(["batch"])).toEqual({ entries: [], more: false });
    await directory.leave("nobody", null);
    for (const one of [entry("b"), entry("a"), entry("a", "debounce"), entry("a", "line")]) await directory.enter(one);
    const { entries, more } = await directory.list(["batch", "line"]);
    expect(entries.map(({ name }) => name)).toEqual(["batch:b", "batch:a", "line:a"]);
    expect(more).toBe(false);
    await directory.leave("batch:b", null);
    expect((await directory.list(["batch", "debounce"])).entries).toMatchObject([
      { kind: "batch", key: "a" },
      { kind: "debounce", key: "a" },
    ]);
  });

  it("a reader removes what it found empty, unless it has entered again meanwhile", async () => {
    const directory = freshDirectory();
    await directory.enter(entry("a"));
    const [found] = (await directory.list(["batch"])).entries;
    await directory.enter(entry("a"));
    await directory.leave("batch:a", found?.enteredAt ?? null);
    const [again] = (await directory.list(["batch"])).entries;
    expect(again).toMatchObject({ key: "a" });
    await directory.leave("batch:a", again?.enteredAt ?? null);
    expect((await directory.list(["batch"])).entries).toEqual([]);
  });

  it("lists a bounded number, and says that there are more", async () => {
    const directory = freshDirectory();
    for (let n = 0; n < DIRECTORY.entries; n++) await directory.enter(entry(`k${n}`));
    expect(await directory.list(["batch"])).toMatchObject({ more: false });
    await directory.enter(entry("one more"));
    const { entries, more } = await directory.list(["batch"]);
    expect([entries.length, more]).toEqual([DIRECTORY.entries, true]);
    expect(entries[0]).toMatchObject({ key: "k0" });
  });

  it("long keys end a list early, and one is always listed", async () => {
    const directory = freshDirectory();
    for (const name of ["a", "b"]) await directory.enter({ kind: "batch", key: name.repeat(DIRECTORY.keyBytes), name });
    const { entries, more } = await directory.list(["batch"]);
    expect([entries.length, more]).toEqual([1, true]);
  });

  it("SE-8: the same function in two environments is listed apart", async () => {
    await directoryStub(bindings, "env-a", "fn").enter(entry("a"));
    expect((await directoryStub(bindings, "env-b", "fn").list(["batch"])).entries).toEqual([]);
  });
});
