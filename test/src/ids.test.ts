import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { derivedUlid, derivedUuid, encodeUlid, isUlid, newUlid, runIdFor, ulidTime } from "../../src/ids.ts";

describe("ids", () => {
  it("a ULID carries its time and sorts by it", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 47 }),
        fc.uint8Array({ minLength: 10, maxLength: 10 }),
        (time, bytes) => {
          const id = encodeUlid(time, bytes);
          expect(isUlid(id)).toBe(true);
          expect(ulidTime(id)).toBe(time);
          expect(encodeUlid(time + 1, bytes) > id).toBe(true);
        },
      ),
    );
  });

  it("new ULIDs rise even within one millisecond", () => {
    const ids = Array.from({ length: 1000 }, () => newUlid(1_800_000_000_000));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(1000);
  });

  it.each(["", "01JD", "01HF7YAT00000G40R40M30E20I", "01hf7yat00000g40r40m30e209", "91HF7YAT00000G40R40M30E209"])(
    "%j is no ULID",
    (text) => {
      expect(isUlid(text)).toBe(false);
    },
  );

  it("EV-8: the run of a function and an event is the same in every process, and differs for every other pair", async () => {
    const event = "01HF7YAT00000G40R40M30E209";
    const id = await runIdFor("env", "fn", event);
    expect(await runIdFor("env", "fn", event)).toBe(id);
    expect(ulidTime(id)).toBe(ulidTime(event));
    const others = await Promise.all([
      runIdFor("env2", "fn", event),
      runIdFor("env", "fn2", event),
      runIdFor("env", "fn", "01HF7YAT00000G40R40M30E20A"),
    ]);
    expect(new Set([id, ...others]).size).toBe(4);
  });

  it("parts are kept apart when ids are derived", async () => {
    expect(await derivedUlid(1, "a", "bc")).not.toBe(await derivedUlid(1, "ab", "c"));
    expect(await derivedUuid("a")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
