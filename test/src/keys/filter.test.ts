import { describe, expect, it } from "vitest";
import { checkNames, checkSender, keyFilters, NO_FILTERS, type SenderFacts } from "../../../src/keys/filter.ts";
import { KEY } from "../../../src/limits.ts";

const SOMEBODY: SenderFacts = { ip: "203.0.113.7", origin: null };

function passes(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "event_filtered", status: 403 });
    return false;
  }
}

const names = (given: { allow?: string[]; deny?: string[] }, name: string) =>
  passes(() => checkNames(keyFilters.parse({ names: given }), [{ name }]));
const ips = (given: { allow?: string[]; deny?: string[] }, ip: string | null) =>
  passes(() => checkSender(keyFilters.parse({ ips: given }), { ip, origin: null }));
const origins = (given: { allow?: string[]; deny?: string[] }, origin: string | null) =>
  passes(() => checkSender(keyFilters.parse({ origins: given }), { ip: SOMEBODY.ip, origin }));

describe("EV-19: filters", () => {
  it("without any everything passes", () => {
    expect(passes(() => checkSender(NO_FILTERS, SOMEBODY))).toBe(true);
    expect(passes(() => checkSender(NO_FILTERS, { ip: null, origin: "https://a.example" }))).toBe(true);
    expect(passes(() => checkNames(NO_FILTERS, [{ name: "anything" }]))).toBe(true);
  });

  it.each([
    [{ allow: ["shop/*"] }, "shop/x", true],
    [{ allow: ["shop/*"] }, "crm/x", false],
    [{ allow: ["shop/*"] }, "shop", false],
    [{ allow: ["shop/x"] }, "shop/x", true],
    [{ allow: ["shop/x"] }, "shop/xy", false],
    [{ allow: ["*"] }, "anything", true],
    [{ allow: ["a.c"] }, "abc", false],
    [{ allow: ["a", "b"] }, "b", true],
    [{ deny: ["shop/*"] }, "shop/x", false],
    [{ deny: ["shop/*"] }, "crm/x", true],
    [{ allow: ["shop/*"], deny: ["shop/secret"] }, "shop/secret", false],
    [{ allow: ["shop/*"], deny: ["shop/secret"] }, "shop/open", true],
    // Only at the end it stands for anything.
    [{ allow: ["shop/*/x"] }, "shop/a/x", false],
    [{ allow: ["shop/*/x"] }, "shop/*/x", true],
  ])("names %j: %s passes: %s", (given, name, expected) => {
    expect(names(given, name)).toBe(expected);
  });

  it("one name that is refused refuses the request, and is named", () => {
    const filters = keyFilters.parse({ names: { allow: ["shop/*"] } });
    expect(() => checkNames(filters, [{ name: "shop/a" }, { name: "crm/x" }])).toThrow('"crm/x" (event 1)');
  });

  it.each([
    [{ allow: ["203.0.113.0/24"] }, "203.0.113.7", true],
    [{ allow: ["203.0.113.0/24"] }, "203.0.114.7", false],
    [{ allow: ["203.0.113.7"] }, "203.0.113.7", true],
    [{ allow: ["203.0.113.7"] }, "203.0.113.8", false],
    [{ allow: ["2001:db8::/32"] }, "2001:0db8:0000::1", true],
    [{ allow: ["2001:db8::/32"] }, "2001:DB8::A", true],
    [{ allow: ["2001:db8::/32"] }, "2001:db9::1", false],
    [{ allow: ["203.0.113.0/24"] }, "2001:db8::1", false],
    [{ deny: ["203.0.113.0/24"] }, "203.0.113.7", false],
    [{ deny: ["203.0.113.0/24"] }, "198.51.100.1", true],
    [{ allow: ["0.0.0.0/0"], deny: ["203.0.113.7"] }, "203.0.113.7", false],
    // Nobody knows where it comes from: no list of allowed addresses has it.
    [{ allow: ["0.0.0.0/0"] }, null, false],
    [{ deny: ["0.0.0.0/0"] }, null, true],
    [{ allow: ["0.0.0.0/0"] }, "no address", false],
  ])("addresses %j: %s passes: %s", (given, ip, expected) => {
    expect(ips(given, ip)).toBe(expected);
  });

  it.each([
    [{ allow: ["https://a.example"] }, "https://a.example", true],
    [{ allow: ["https://a.example"] }, "https://b.example", false],
    [{ allow: ["https://a.example"] }, "http://a.example", false],
    [{ allow: ["https://a.example"] }, null, false],
    [{ deny: ["https://a.example"] }, "https://a.example", false],
    [{ deny: ["https://a.example"] }, null, true],
  ])("origins %j: %s passes: %s", (given, origin, expected) => {
    expect(origins(given, origin)).toBe(expected);
  });

  it.each([
    [{ ips: { allow: ["10.0.0.0/33"] } }],
    [{ ips: { deny: ["nowhere"] } }],
    [{ ips: { allow: ["10.0.0.1/8/8"] } }],
    [{ origins: { allow: ["https://a.example/"] } }],
    [{ origins: { allow: ["a.example"] } }],
    [{ origins: { allow: ["null"] } }],
    [{ names: { allow: [""] } }],
    [{ names: { allow: ["x".repeat(KEY.filterLength + 1)] } }],
    [{ names: { deny: Array.from({ length: KEY.filterEntries + 1 }, String) } }],
    [{ names: { allow: [7] } }],
    [{ names: ["shop/*"] }],
  ])("%j are no filters", (given) => {
    expect(keyFilters.safeParse(given).success).toBe(false);
  });

  it("what was stored is what was given", () => {
    const given = keyFilters.parse({ names: { allow: ["shop/*"] }, ips: { deny: ["10.0.0.0/8"] } });
    expect(keyFilters.parse(JSON.parse(JSON.stringify(given)))).toEqual(given);
    expect(given.origins).toEqual({ allow: [], deny: [] });
  });
});
