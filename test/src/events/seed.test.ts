import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSeed, seededId } from "../../../src/events/seed.ts";
import { isUlid, ulidTime } from "../../../src/ids.ts";

describe("EV-7: event id seeds", () => {
  // The vectors of the protocol reference.
  it.each([
    ["1700000000000,AAECAwQFBgcICQ==", 0, "01HF7YAT00000G40R40M30E209"],
    ["1700000000000,AAECAwQFBgcICQ==", 1, "01HF7YAT00000G40R40M30E20A"],
    ["1700000000000,AAECAwQFBgcICQ==", 2, "01HF7YAT00000G40R40M30E20B"],
    ["1700000000000,AQEBAQEB/////w==", 1, "01HF7YAT00040G208104000000"],
  ])("%s at index %i gives %s", (header, index, ulid) => {
    const seed = parseSeed(header);
    expect(seed).not.toBeNull();
    expect(seed && seededId(seed, index)).toBe(ulid);
  });

  it.each([
    undefined,
    null,
    "",
    "1700000000000",
    "1700000000000,",
    ",AAECAwQFBgcICQ==",
    "x,AAECAwQFBgcICQ==",
    "-1,AAECAwQFBgcICQ==",
    "1e3,AAECAwQFBgcICQ==",
    "1700000000000,AAECAwQFBgcI",
    "1700000000000,AAECAwQFBgcICQo=",
    "1700000000000,AAECAwQFBgcIC!==",
    "281474976710656,AAECAwQFBgcICQ==",
    "1700000000000,AAECAwQFBgcICQ==,1",
  ])("%j is not a seed and is ignored", (header) => {
    expect(parseSeed(header)).toBeNull();
  });

  it("gives every event of a request its own id, with the seed's time, the same each time", () => {
    const entropy = fc.uint8Array({ minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 48 - 1 }), entropy, (time, bytes) => {
        const header = `${time},${Buffer.from(bytes).toString("base64")}`;
        const ids = () => {
          const seed = parseSeed(header);
          return seed === null ? [] : [1, 2, 3, 5000].map((index) => seededId(seed, index));
        };
        expect(new Set(ids()).size).toBe(4);
        expect(ids()).toEqual(ids());
        expect(ids().every((id) => isUlid(id) && ulidTime(id) === time)).toBe(true);
      }),
    );
  });
});
