import { describe, expect, it } from "vitest";
import type { FunctionConfiguration, RegisteredFunction } from "../../../src/apps/function.ts";
import { limitOn } from "../../../src/apps/line-limit.ts";
import type { Counted, LineRef } from "../../../src/decide/capacity/line.ts";
import { configurationWith } from "./configuration.ts";

const KEY = "event.data.k";

function registered(over: Partial<FunctionConfiguration>): RegisteredFunction {
  const configuration = configurationWith(over);
  const app = { id: "app", name: "shop" };
  const standing = { archived: false, paused: null, resumed: null };
  return { id: "fn", slug: "shop-fn", name: "fn", version: 7, app, configuration, ...standing };
}

function line(counts: Counted, expression: string | null = null, scope: LineRef["scope"] = "fn"): LineRef {
  return { counts, scope, functionId: scope === "fn" ? "fn" : "", expression, key: expression === null ? "" : "v" };
}

const number = (limit: number) => ({ version: 7, limit, period: 0, burst: 0 });

describe("the number on a line", () => {
  it("FC-6, FC-7: is the limit with the same scope and key, whatever the key's value", () => {
    const fn = registered({
      concurrency: [
        { limit: 10, key: null, scope: "fn" },
        { limit: 2, key: KEY, scope: "fn" },
        { limit: 5, key: KEY, scope: "account" },
      ],
      runConcurrency: [{ limit: 1, key: null, scope: "fn" }],
    });
    expect(limitOn(line("steps"), fn, null)).toEqual(number(10));
    expect(limitOn(line("steps", KEY), fn, null)).toEqual(number(2));
    expect(limitOn(line("steps", KEY, "account"), fn, null)).toEqual(number(5));
    expect(limitOn(line("steps", KEY, "env"), fn, null)).toBeNull();
    expect(limitOn(line("runs"), fn, null)).toEqual(number(1));
    expect(limitOn(line("runs", KEY), fn, null)).toBeNull();
  });

  it("FC-11: a limit that is gone, is 0, or has another key is no number", () => {
    expect(limitOn(line("steps"), registered({}), null)).toBeNull();
    expect(limitOn(line("steps"), null, null)).toBeNull();
    expect(limitOn(line("starts"), registered({}), null)).toBeNull();
    expect(
      limitOn(line("steps"), registered({ concurrency: [{ limit: 0, key: null, scope: "fn" }] }), null),
    ).toBeNull();
    const other = registered({ concurrency: [{ limit: 3, key: "event.data.other", scope: "fn" }] });
    expect(limitOn(line("steps", KEY), other, null)).toBeNull();
  });

  it("two limits on one line: the lower one holds", () => {
    const twice = [5, 3].map((limit) => ({ limit, key: KEY, scope: "fn" as const }));
    expect(limitOn(line("steps", KEY), registered({ concurrency: twice }), null)).toEqual(number(3));
  });

  it("FC-15, FC-16: a throttle is a number of starts per period, with its burst", () => {
    const throttle = { limit: 2, period: 5000, burst: 3, key: KEY };
    expect(limitOn(line("starts", KEY), registered({ throttle }), null)).toEqual({
      version: 7,
      limit: 2,
      period: 5000,
      burst: 3,
    });
    expect(limitOn(line("starts"), registered({ throttle }), null)).toBeNull();
  });

  it("FC-14: the account's ceiling is a setting, and no limit of a function is taken for it", () => {
    const ceiling = line("steps", null, "account");
    expect(limitOn(ceiling, registered({}), 4)).toEqual(number(4));
    expect(limitOn(ceiling, null, 4)).toMatchObject({ limit: 4 });
    expect(limitOn(ceiling, registered({}), null)).toBeNull();
  });
});
