import { describe, expect, it } from "vitest";
import { compile } from "../../../src/expressions/expression.ts";
import { matchExpression } from "../../../src/expressions/match.ts";
import { MATCHED, UNMATCHED, waits } from "./samples.ts";

describe("XP-4, EX-42: match", () => {
  const source = matchExpression("data.userId");
  it.each(["wait", "cancel"] as const)("in a %s: present and equal in both events", (place) => {
    expect(waits(source, { userId: 1 }, { userId: 1 }, place)).toEqual(MATCHED);
    expect(waits(source, { userId: null }, { userId: null }, place)).toEqual(MATCHED);
    expect(waits(source, { userId: 1 }, { userId: 2 }, place)).toEqual(UNMATCHED);
    expect(waits(source, { userId: 1 }, { userId: "1" }, place)).toEqual(UNMATCHED);
    expect(waits(source, {}, {}, place)).toEqual(UNMATCHED);
    expect(waits(source, { userId: 1 }, {}, place)).toEqual(UNMATCHED);
    expect(waits(source, {}, { userId: 1 }, place)).toEqual(UNMATCHED);
    expect(waits(source, { userId: null }, {}, place)).toEqual(UNMATCHED);
    expect(waits(source, {}, { userId: null }, place)).toEqual(UNMATCHED);
  });
  it("what SDKs send for match does not match when neither event has the field", () => {
    expect(waits("event.data.userId == async.data.userId", {}, {})).toEqual(UNMATCHED);
    expect(waits("event.data.userId == async.data.userId", { userId: "u" }, { userId: "u" })).toEqual(MATCHED);
  });
  it("takes any access", () => {
    expect(waits(matchExpression('data["user id"][0]'), { "user id": [1] }, { "user id": [1] })).toEqual(MATCHED);
    expect(waits(matchExpression('data["user id"][0]'), { "user id": [] }, { "user id": [] })).toEqual(UNMATCHED);
  });
  it.each(["", "data.x || true", "data.", "data.x) && (true", "1"])("%j is no path and does not compile", (path) => {
    expect(compile(matchExpression(path), "wait").ok).toBe(false);
  });
});
