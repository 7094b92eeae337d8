import { describe, expect, it } from "vitest";
import { MillraceError } from "../../../src/errors.ts";
import { dataOf, parseTarget, parseTopics } from "../../../src/protocol/realtime-request.ts";

const RUN = "01JD00000000000000000000RN";

function code(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof MillraceError) return error.code;
  }
  throw new Error("not refused");
}

const target = (query: string) => parseTarget(new URLSearchParams(query));
const topics = (...names: string[]) => names.map((name) => ({ channel: "c", name, kind: "run" }));
const many = (count: number, length = 0) => Array.from({ length: count }, (_, i) => `t${i}`.padEnd(length, "x"));

describe("what a token is asked for", () => {
  it("RT-4: one channel and its topics, each once, whatever else is said", () => {
    expect(parseTopics(topics("a", "b", "a"))).toEqual({ channel: "c", topics: ["a", "b"] });
    expect(parseTopics(topics(...many(100))).topics).toHaveLength(100);
    expect(parseTopics(topics("$stream"))).toEqual({ channel: "c", topics: ["$stream"] });
    expect(parseTopics([{ channel: "ä".repeat(1024), name: "x".repeat(256) }]).channel).toHaveLength(1024);
  });

  it.each<[string, () => unknown]>([
    ["no list", () => parseTopics({ channel: "c", name: "a" })],
    ["an empty list", () => parseTopics([])],
    ["101 topics", () => parseTopics(topics(...many(101)))],
    ["two channels", () => parseTopics([...topics("a"), { channel: "d", name: "a" }])],
    ["a topic without name", () => parseTopics([{ channel: "c", name: "" }])],
    ["a topic of 257 characters", () => parseTopics(topics("x".repeat(257)))],
    ["a channel without name", () => parseTopics([{ channel: "", name: "a" }])],
    ["a channel of 1,025 characters", () => parseTopics([{ channel: "x".repeat(1025), name: "a" }])],
    ["names that are no text", () => parseTopics([{ channel: 1, name: "a" }])],
    ["topics that fill no URL", () => parseTopics(topics(...many(100, 100)))],
    ["a raw stream beside others", () => parseTopics(topics("$stream", "a"))],
  ])("RT-4: %s is refused", (_, act) => {
    expect(code(act)).toBe("invalid_request");
  });
});

describe("where something is published", () => {
  it("RT-2: channel, topic, and what else is known", () => {
    expect(target("channel=user:1&topic=ai")).toEqual({
      channel: "user:1",
      topics: ["ai"],
      runId: null,
      metadata: null,
    });
    expect(target(`channel=a%26b&topic=x&topic=y&topic=x&run_id=${RUN}&metadata=%7B%7D`)).toEqual({
      channel: "a&b",
      topics: ["x", "y"],
      runId: RUN,
      metadata: "{}",
    });
    expect(target("channel=c&topic=t&metadata=%7B%0A%0D%7D").metadata).toBe("{  }");
  });

  it.each([
    "topic=ai",
    "channel=c",
    "channel=c&topic=",
    "channel=&topic=ai",
    `channel=${"x".repeat(1025)}&topic=ai`,
    `channel=c&topic=${"x".repeat(257)}`,
    "channel=c&topic=$run",
    "channel=c&topic=$step",
    "channel=c&topic=$life",
    "channel=c&topic=a&topic=$stream",
    "channel=c&topic=ai&run_id=nonsense",
    "channel=c&topic=ai&metadata={",
    `channel=c&topic=ai&metadata="${"x".repeat(4096)}"`,
    `channel=c&${many(101)
      .map((name) => `topic=${name}`)
      .join("&")}`,
  ])("RT-14: %.60s is refused", (query) => {
    expect(code(() => target(query))).toBe("invalid_request");
  });
});

describe("RT-7: what is published", () => {
  it.each([
    ['{"o":1}', '{"o":1}'],
    ['"quoted"', '"quoted"'],
    ["plain text", '"plain text"'],
    ["", '""'],
    ['a "quote"\nand a line', '"a \\"quote\\"\\nand a line"'],
    ["12345678901234567890", "12345678901234567890"],
    ["{ broken", '"{ broken"'],
    ['{\r\n "a": 1\n}', '{   "a": 1 }'],
    ["null", "null"],
  ])("%j goes out as %s", (body, data) => {
    expect(dataOf(body)).toBe(data);
    expect(() => JSON.parse(data)).not.toThrow();
  });

  it("is refused when it is nested too deep, instead of going out as text", () => {
    expect(code(() => dataOf(`${"[".repeat(101)}${"]".repeat(101)}`))).toBe("invalid_request");
    expect(dataOf("[".repeat(101))).toBe(JSON.stringify("[".repeat(101)));
  });
});
