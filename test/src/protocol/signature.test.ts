import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Json } from "../../../src/json.ts";
import { canonicalJson } from "../../../src/protocol/canonical.ts";
import { bearerMatches, hashedKey, signBody, verifySignature } from "../../../src/protocol/signature.ts";

interface Vectors {
  signing_key: string;
  bearer: string;
  bearer_of_unprefixed: { key: string; hash: string };
  signatures: { input: Json; jcs: string; t: number; header: string }[];
}
const vectors: Vectors = JSON.parse(readFileSync(new URL("../../fixtures/vectors.json", import.meta.url), "utf8"));
const key = vectors.signing_key;

describe("signatures (protocol/05, captured vectors)", () => {
  it.each(vectors.signatures)("SE-3: the body $jcs is canonical and signed as the SDKs expect", async (vector) => {
    if (vector.input !== "") expect(canonicalJson(vector.input)).toBe(vector.jcs);
    expect(await signBody(key, vector.jcs, vector.t * 1000)).toBe(vector.header);
    expect(await verifySignature([key], vector.header, vector.jcs, vector.t * 1000)).toBe(true);
  });

  it("SE-4: older or newer than five minutes is refused, in both directions", async () => {
    const now = 1_700_000_000_000;
    const header = await signBody(key, "{}", now);
    for (const [skew, valid] of [
      [300_000, true],
      [301_000, false],
      [-300_000, true],
      [-301_000, false],
    ] as const) {
      expect(await verifySignature([key], header, "{}", now + skew), `${skew}`).toBe(valid);
    }
  });

  it.each([
    ["a changed body", "{ }", undefined],
    ["another key", "{}", "signkey-test-00"],
    ["no key", "{}", ""],
  ])("SE-3: refuses %s", async (_, body, other) => {
    const now = 1_700_000_000_000;
    const header = await signBody(key, "{}", now);
    const keys = other === "" ? [] : [other ?? key];
    expect(await verifySignature(keys, header, body, now)).toBe(false);
  });

  it.each([null, "", "t=1&s=00", "s=00&t=1", `t=x&s=${"0".repeat(64)}`])("refuses the header %j", async (header) => {
    expect(await verifySignature([key], header, "{}", 1000)).toBe(false);
  });

  it("SE-7: either key of a rotation verifies", async () => {
    const header = await signBody("signkey-test-beef", "{}", 0);
    expect(await verifySignature([key, "signkey-test-beef"], header, "{}", 0)).toBe(true);
  });
});

describe("bearer tokens (SE-6)", () => {
  it("hashes the decoded hex and keeps the prefix", async () => {
    expect(await hashedKey(key)).toBe(vectors.bearer);
    expect(await hashedKey(vectors.bearer_of_unprefixed.key)).toBe(vectors.bearer_of_unprefixed.hash);
  });

  it.each([
    [`Bearer ${key}`, true],
    [`Bearer ${vectors.bearer}`, true],
    [`bearer ${vectors.bearer.replace("signkey-test-", "")}`, true],
    ["Bearer undefined", false],
    ["Bearer ", false],
    [undefined, false],
    [`Bearer ${vectors.bearer.slice(0, -1)}0`, false],
    [`Basic ${key}`, false],
  ])("%s is accepted: %s", async (header, valid) => {
    expect(await bearerMatches([key], header)).toBe(valid);
  });
});
