import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seal, unseal } from "../../../src/keys/sealed.ts";

const SECRET = "ab".repeat(32);
const FORMER = "cd".repeat(32);
const ENVIRONMENT = "env-1";

describe("SE-14: sealed secrets", () => {
  it("any text comes back, and nothing of it is in what is stored", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", minLength: 8, maxLength: 200 }), async (text) => {
        const sealed = await seal([SECRET], ENVIRONMENT, text);
        expect(sealed).not.toContain(text);
        expect(await unseal([SECRET], ENVIRONMENT, sealed)).toEqual({
          text: new TextDecoder().decode(new TextEncoder().encode(text)),
          stale: false,
        });
      }),
      { numRuns: 50 },
    );
  });

  it("the same text is sealed differently each time", async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => seal([SECRET], ENVIRONMENT, "a key")));
    expect(new Set(all).size).toBe(20);
  });

  it("what a former secret sealed opens, and is to be sealed anew", async () => {
    const sealed = await seal([FORMER], ENVIRONMENT, "a key");
    expect(await unseal([SECRET, FORMER], ENVIRONMENT, sealed)).toEqual({ text: "a key", stale: true });
    const anew = await seal([SECRET, FORMER], ENVIRONMENT, "a key");
    expect(await unseal([SECRET], ENVIRONMENT, anew)).toEqual({ text: "a key", stale: false });
  });

  it("SE-8: what one environment sealed opens in no other", async () => {
    const sealed = await seal([SECRET], ENVIRONMENT, "a key");
    for (const other of ["env-2", "env-", "env-1 ", ""]) {
      await expect(unseal([SECRET], other, sealed)).rejects.toMatchObject({ code: "not_configured" });
    }
  });

  it("whatever is changed in it, it does not open, and the error tells nothing", async () => {
    const sealed = await seal([SECRET], ENVIRONMENT, "a key that nobody sees");
    await fc.assert(
      fc.asyncProperty(fc.nat(sealed.length - 1), fc.constantFrom(..."0aZ_-.1"), async (at, by) => {
        const forged = sealed.slice(0, at) + by + sealed.slice(at + 1);
        // The last character of a part has bits that say nothing.
        const parts = (text: string) => text.split(".").map((part) => Buffer.from(part, "base64url").toString("hex"));
        fc.pre(parts(forged).join(".") !== parts(sealed).join("."));
        const error: unknown = await unseal([SECRET], ENVIRONMENT, forged).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: "not_configured" });
        expect(String(error)).not.toMatch(/nobody|abab|1\./);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ["without a secret", []],
    ["with another secret", [FORMER]],
  ])("%s it does not open", async (_, secrets) => {
    const sealed = await seal([SECRET], ENVIRONMENT, "a key");
    await expect(unseal(secrets, ENVIRONMENT, sealed)).rejects.toMatchObject({ code: "not_configured" });
  });

  it("without a secret nothing is sealed", async () => {
    await expect(seal([], ENVIRONMENT, "a key")).rejects.toMatchObject({ code: "not_configured" });
  });
});
