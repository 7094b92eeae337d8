import { describe, expect, test } from "vitest";
import * as z from "zod";
import { anyOf, flag, paging } from "../../../../src/api/v2/parameters.ts";

const page = z.object(paging(40));

describe("API-5: limit and cursor", () => {
  test.each<[unknown, number]>([
    [undefined, 20],
    ["7", 7],
    [7, 7],
    ["0", 1],
    [-3, 1],
    ["41", 40],
    ["99999999999999999999", 40],
  ])("%j asks for %i", (limit, expected) => {
    expect(page.parse({ limit })).toEqual({ limit: expected, cursor: null });
  });

  test.each([{ limit: "ten" }, { limit: "" }, { limit: 1.5 }, { limit: true }, { cursor: "x" }, { cursor: 7 }])(
    "%j is refused",
    (query) => {
      expect(page.safeParse(query).success).toBe(false);
    },
  );
});

test("texts of a query and JSON of a tool are true and false alike", () => {
  const schema = z.object({ flag });
  for (const yes of [true, "true", "1"]) expect(schema.parse({ flag: yes })).toEqual({ flag: true });
  for (const no of [false, "false", "0", undefined]) expect(schema.parse({ flag: no })).toEqual({ flag: false });
  expect(schema.safeParse({ flag: "perhaps" }).success).toBe(false);
});

describe("words", () => {
  const schema = z.object({
    color: anyOf(
      new Map([
        ["RED", 1],
        ["BLUE", 2],
      ]),
    ),
  });

  test.each<[unknown, number[]]>([
    [undefined, []],
    ["red", [1]],
    ["Red, BLUE", [1, 2]],
    [
      ["blue", "red"],
      [2, 1],
    ],
  ])("%j", (color, expected) => {
    expect(schema.parse({ color })).toEqual({ color: expected });
  });

  test("one that is unknown is refused, and the known ones are named", () => {
    const { error } = schema.safeParse({ color: "green" });
    expect(error?.issues[0]?.message).toBe("must be one or more of RED, BLUE");
    expect(schema.safeParse({ color: "" }).success).toBe(false);
  });
});
