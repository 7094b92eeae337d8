import { describe, expect, test } from "vitest";
import * as z from "zod";
import { moment, pageParameters, pageQuery, parseQuery, text } from "../../../../src/api/v1/query.ts";
import { MillraceError } from "../../../../src/errors.ts";

const ULID = "01J00000000000000000000000";
const schema = z.object({ ...pageParameters, name: text, from: moment });

describe("API-5: limit and cursor", () => {
  test.each<[Record<string, string>, number]>([
    [{}, 20],
    [{ limit: "1" }, 1],
    [{ limit: "0" }, 1],
    [{ limit: "-7" }, 1],
    [{ limit: "100" }, 100],
    [{ limit: "101" }, 100],
    [{ limit: "99999999999999999999999" }, 100],
  ])("%j asks for %i", (query, limit) => {
    expect(parseQuery(pageQuery, query)).toEqual({ limit, cursor: null });
  });

  test("a cursor is a ULID", () => {
    expect(parseQuery(pageQuery, { cursor: ULID }).cursor).toBe(ULID);
  });
});

describe("API-4: what is not understood is refused, naming the parameter", () => {
  test.each<[Record<string, string>, RegExp]>([
    [{ limit: "ten" }, /limit must be a whole number/],
    [{ limit: "" }, /limit/],
    [{ limit: "1.5" }, /limit/],
    [{ cursor: "abc" }, /cursor/],
    [{ from: "yesterday" }, /from must be a time/],
    [{ from: "1732570023717" }, /from/],
    [{ name: "" }, /name must not be empty/],
    [{ limit: "x", cursor: "y" }, /limit.*cursor/],
  ])("%j", (query, message) => {
    const parse = () => parseQuery(schema, query);
    expect(parse).toThrow(message);
    expect(parse).toThrow(MillraceError);
  });
});

test("API-7: times are RFC 3339 with any offset", () => {
  const times = ["2026-11-21T02:00:00Z", "2026-11-21T02:00:00.000Z", "2026-11-21T04:00:00+02:00"];
  expect(times.map((from) => parseQuery(schema, { from }).from)).toEqual(times.map(() => Date.UTC(2026, 10, 21, 2)));
});

test("SE-15: unknown parameters are ignored", () => {
  expect(parseQuery(pageQuery, { colour: "red" })).toEqual({ limit: 20, cursor: null });
});
