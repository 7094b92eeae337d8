import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fits, withoutTopics, withTopics } from "../../../../src/decide/channel/subscription.ts";
import { REALTIME } from "../../../../src/limits.ts";

const named = (count: number) => Array.from({ length: count }, (_, i) => `topic-${i}`);

describe("what a connection hears", () => {
  it("RT-6: topics are added and taken away; each counts once", () => {
    const first = { channel: "c", topics: ["a"] };
    const more = withTopics(first, ["b", "a", "b"]);
    expect(more).toEqual({ channel: "c", topics: ["a", "b"] });
    expect(withoutTopics({ channel: "c", topics: ["a", "b"] }, ["a", "z"])).toEqual({ channel: "c", topics: ["b"] });
    expect(withoutTopics(first, ["a"])).toEqual({ channel: "c", topics: [] });
  });

  it("RT-16: 100 topics fit, one more changes nothing, one known already is no more", () => {
    const full = { channel: "c", topics: named(REALTIME.topics) };
    expect(withTopics({ channel: "c", topics: [] }, full.topics)).toEqual(full);
    expect(withTopics(full, ["one more"])).toBeNull();
    expect(withTopics(full, ["topic-0"])).toEqual(full);
  });

  it("RT-16: topics with long names count by their bytes", () => {
    const long = Array.from({ length: 60 }, (_, i) => `${i}`.padEnd(REALTIME.topicLength, "ä"));
    expect(withTopics({ channel: "c", topics: [] }, long)).toBeNull();
    expect(fits(['"'], 5)).toBe(false);
    expect(fits(['"'], 6)).toBe(true);
  });

  it("RT-6: adding and taking away the same topics leaves the others, in their order", () => {
    const topics = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 20 });
    fc.assert(
      fc.property(topics, topics, (before, added) => {
        const grown = withTopics({ channel: "c", topics: before }, added);
        if (grown === null) throw new Error("so few always fit");
        expect(new Set(grown.topics).size).toBe(grown.topics.length);
        const rest = before.filter((topic) => !added.includes(topic));
        expect(withoutTopics(grown, added).topics).toEqual(rest);
      }),
    );
  });
});
