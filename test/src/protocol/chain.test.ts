import { describe, expect, it } from "vitest";
import { chainDepth, chainMember } from "../../../src/protocol/chain.ts";

const depthIn = (tracestate: string) => chainDepth(new Headers({ tracestate }));

describe("the length of a chain", () => {
  it("SE-18: what a run sends is one further than the run", () => {
    expect(depthIn(chainMember(0))).toBe(1);
    expect(depthIn(chainMember(999))).toBe(1000);
  });

  it("SE-18: is found among the members of others", () => {
    expect(depthIn("inngest@app=a,millrace=7,other=1")).toBe(7);
    expect(depthIn("a=1, millrace=8 ,b=2")).toBe(8);
    const twice = new Headers();
    twice.append("tracestate", "a=1");
    twice.append("tracestate", "millrace=9");
    expect(chainDepth(twice)).toBe(9);
  });

  it("SE-18: is nothing when a request does not say, or says something else", () => {
    expect(chainDepth(new Headers())).toBe(0);
    for (const odd of [
      "",
      "millrace=",
      "millrace=-1",
      "millrace=1.5",
      "millrace=1e9",
      "xmillrace=3",
      "millrace=9999999999",
    ]) {
      expect(depthIn(odd), odd).toBe(0);
    }
  });
});
