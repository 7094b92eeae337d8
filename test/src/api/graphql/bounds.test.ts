import { getIntrospectionQuery, parse } from "graphql";
import { describe, expect, it } from "vitest";
import { boundsFault, nestingFault } from "../../../../src/api/graphql/bounds.ts";

const fault = (query: string) => nestingFault(query)?.message ?? boundsFault(parse(query))?.message ?? null;

describe("API-23: how much a document may ask", () => {
  it("lets tools introspect", () => {
    expect(fault(getIntrospectionQuery())).toBeNull();
  });

  it("measures fragments where they are used, also those that use each other without end", () => {
    expect(fault("{ a { ...F } } fragment F on T { b { ...F } }")).toBeNull();
    const deep = Array.from({ length: 30 }, (_, i) => `fragment F${i} on T { a { ...F${i + 1} } }`).join(" ");
    expect(fault(`{ a { ...F0 } } ${deep} fragment F30 on T { a }`)).toMatch(/nested \d+ levels/);
    const wide = Array.from({ length: 60 }, (_, i) => `fragment F${i} on T { ...F${i + 1} ...F${i + 1} }`).join(" ");
    expect(fault(`{ a { ...F0 } } ${wide} fragment F60 on T { a }`)).toMatch(/fields; the limit is/);
  });

  it("counts the fields of the outermost level through fragments", () => {
    const roots = Array.from({ length: 11 }, (_, i) => `a${i}: x`).join(" ");
    expect(fault(`{ ${roots} }`)).toBeNull();
    expect(
      fault(`{ ${roots} ... on Query { b0: x ...F } } fragment F on Query { ${roots.replaceAll("a", "c")} }`),
    ).toMatch(/begins with/);
  });

  it("takes brackets for nesting only where they nest", () => {
    expect(nestingFault(`{ a(text: "${"{".repeat(1000)}") # ${"(".repeat(1000)}\n }`)).toBeNull();
    expect(nestingFault(`{ a(value: ${"[".repeat(500)}${"]".repeat(500)}) }`)?.message).toMatch(/brackets deep/);
  });
});
