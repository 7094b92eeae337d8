import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maskHeaders, maskNamed, maskText } from "../../src/masking.ts";

describe("OB-13: masking", () => {
  it("replaces texts under the names of credentials, at any depth, and nothing else", () => {
    const value = { model: "m", maxTokens: 5, apiKey: "x", nested: [{ password: { a: "p", n: 1 }, text: "kept" }] };
    expect(maskNamed(value)).toEqual({
      model: "m",
      maxTokens: 5,
      apiKey: "***",
      nested: [{ password: { a: "***", n: 1 }, text: "kept" }],
    });
  });

  it("replaces headers by name, and credentials inside texts by their form", () => {
    expect(maskHeaders({ authorization: "a", cookie: "b", accept: "c" })).toEqual({
      authorization: "***",
      cookie: "***",
      accept: "c",
    });
    expect(maskText("https://u:p@h/x?token=abc&q=1 Basic dXNlcjpwYXNz signkey-prod-0123456789ab", [])).toBe(
      "https://***@h/x?token=***&q=1 Basic *** ***",
    );
  });

  it("leaves ordinary text alone", () => {
    for (const text of [
      "a token of love",
      "1 < 2 ? a : b",
      "key=value",
      "user@host",
      "basic training",
      "the bearer carries",
    ])
      expect(maskText(text, [])).toBe(text);
  });

  it("keeps the shape of any value", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const value = JSON.parse(text);
        const shape = (one: unknown): unknown =>
          Array.isArray(one)
            ? one.map(shape)
            : typeof one === "object" && one !== null
              ? Object.fromEntries(Object.entries(one).map(([name, item]) => [name, shape(item)]))
              : typeof one;
        expect(shape(maskNamed(value))).toEqual(shape(value));
      }),
    );
  });
});
