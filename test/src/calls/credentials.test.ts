import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { credentialsOf, isCredentialName, mask, maskJson, quoteMasked } from "../../../src/calls/credentials.ts";
import { CALL } from "../../../src/limits.ts";
import type { GatewayRequest } from "../../../src/protocol/gateway-request.ts";

const request = (headers: Record<string, string>, url = "https://h.example/"): GatewayRequest => ({
  kind: "gateway",
  url,
  method: "GET",
  headers,
  body: null,
});

describe("OB-13: names of credentials", () => {
  it.each([
    ...["authorization", "Proxy-Authorization", "cookie", "set-cookie", "x-auth-token", "x-auth-key", "client_secret"],
    ...[
      "password",
      "x-api-key",
      "apikey",
      "api_key",
      "api-key",
      "x-goog-api-key",
      "x-amz-security-token",
      "x-signature",
      "key",
    ],
  ])("%s is one", (name) => {
    expect(isCredentialName(name)).toBe(true);
  });

  it.each(["accept", "content-type", "user-agent", "x-request-id", "anthropic-version", "monkey", "keys"])(
    "%s is none",
    (name) => {
      expect(isCredentialName(name)).toBe(false);
    },
  );
});

describe("SE-14: credentials of a request", () => {
  it("whole values, and their parts without schemes and names, longest first", () => {
    const found = credentialsOf(
      request({ authorization: "Bearer abcdef1", cookie: "first=123456; s=abcdefgh", "x-a": "visible" }),
      6,
    );
    expect(found).toEqual(expect.arrayContaining(["Bearer abcdef1", "abcdef1", "abcdefgh", "123456"]));
    expect(found).not.toContain("Bearer");
    expect(found).not.toContain("visible");
    expect(found.map(({ length }) => length)).toEqual(found.map(({ length }) => length).sort((a, b) => b - a));
  });

  it("the query's, decoded, from the given length on", () => {
    expect(credentialsOf(request({}, "https://h.example/?key=a%2Fbcdef&q=visible&token=short"), 6)).toEqual([
      "a/bcdef",
    ]);
  });

  it("a masked text holds a credential in none of its forms", () => {
    const secrets = fc.string({ minLength: 6 }).filter((secret) => !secret.includes("*"));
    const inQuery = (secret: string): string =>
      new URL(`https://h/?${new URLSearchParams({ key: secret })}`).search.slice(5);
    fc.assert(
      fc.property(secrets, fc.string(), fc.string(), (secret, before, after) => {
        const escaped = JSON.stringify(secret).slice(1, -1);
        for (const form of [secret, escaped, encodeURIComponent(secret), inQuery(secret)]) {
          const text = before + form + after;
          for (const masked of [mask(text, [secret]), maskJson(text, [secret])]) expect(masked).not.toContain(form);
          expect(JSON.stringify(maskJson({ [text]: [text] }, [secret]))).not.toContain(escaped);
        }
      }),
    );
  });

  it("a quotation is masked before it is cut", () => {
    const text = `${"x".repeat(CALL.quotedBytes - 3)}secret-value`;
    expect(quoteMasked(text, ["secret-value"])).toBe(`${"x".repeat(CALL.quotedBytes - 3)}***`);
    expect(quoteMasked(`${text}more`, ["other"]).length).toBe(CALL.quotedBytes + 1);
  });
});
