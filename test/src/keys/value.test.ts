import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type KeyPurpose,
  keyHash,
  mayBeKey,
  newKey,
  newSigningKey,
  signingHash,
  signingHashes,
} from "../../../src/keys/value.ts";
import { hashedKey } from "../../../src/protocol/signature.ts";
import { hostileText } from "../../fuzz/hostile.ts";
import { planOf } from "../../fuzz/plan.ts";

const PURPOSES: readonly KeyPurpose[] = ["event", "webhook", "api"];

describe("SE-2: new keys", () => {
  it.each(PURPOSES)("a key (%s) has 256 bits, is never the same, and says what it is for", (purpose) => {
    const keys = Array.from({ length: 50 }, () => newKey(purpose));
    expect(new Set(keys).size).toBe(50);
    for (const key of keys) {
      // 43 characters of base64url are 32 bytes.
      expect(key).toMatch(/^(?:ek|wh|mk)_[\w-]{43}$/);
      expect(PURPOSES.filter((other) => mayBeKey(key, other))).toEqual([purpose]);
    }
  });

  it("a key passes a path and a header as it is", () => {
    for (const purpose of PURPOSES) {
      const key = newKey(purpose);
      expect(new URL(`https://engine.example/e/${key}`).pathname).toBe(`/e/${key}`);
      expect(new Headers({ authorization: `Bearer ${key}` }).get("authorization")).toBe(`Bearer ${key}`);
    }
  });

  it("no other text is ever looked up", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        fc.pre(!/^(?:ek|wh|mk)_[\w-]{43}$/.test(text));
        expect(PURPOSES.some((purpose) => mayBeKey(text, purpose))).toBe(false);
      }),
      planOf(process.env, 500),
    );
    const key = newKey("event");
    for (const text of [`${key}A`, key.slice(0, -1), ` ${key}`, `${key}\n`, key.toUpperCase()]) {
      expect(mayBeKey(text, "event")).toBe(false);
    }
  });

  it("is found by its SHA-256", async () => {
    expect(await keyHash("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
});

describe("SE-6: signing keys", () => {
  it.each(["custom", "branch"] as const)("a key (%s) is what SDKs take", (kind) => {
    expect(newSigningKey(kind)).toMatch(new RegExp(`^signkey-${kind}-[0-9a-f]{64}$`));
  });

  it("is found in each of the four forms in which it comes", async () => {
    const key = newSigningKey("custom");
    const stored = await signingHash(key);
    const bare = (text: string) => text.replace(/^signkey-\w+-/, "");
    const hashed = await hashedKey(key);
    for (const form of [key, bare(key), hashed, bare(hashed), bare(key).toUpperCase()]) {
      expect(await signingHashes(form)).toContain(stored);
    }
    for (const form of [await hashedKey(hashed), bare(key).slice(1), newSigningKey("custom")]) {
      expect(await signingHashes(form)).not.toContain(stored);
    }
  });

  it("what is no signing key of ours is not looked up", async () => {
    for (const text of ["", "undefined", newKey("api"), "ab".repeat(16), `signkey-prod-${"zz".repeat(32)}`]) {
      expect(await signingHashes(text)).toEqual([]);
    }
  });
});
