import { describe, expect, it } from "vitest";
import { Audience, type Heard, type Listener } from "../../../src/realtime/audience.ts";

let listeners = 0;
/** A listener that writes down what it hears. */
function listener(heard: string[], leave?: () => void): Listener {
  const id = `l${listeners++}`;
  return {
    id,
    hear({ text }: Heard) {
      heard.push(`${id}:${text}`);
      leave?.();
    },
  };
}

const all = (topic: string, text: string) => ({ topic, text, to: null });

describe("an audience", () => {
  it("RT-4: everybody hears their topics and nothing else, in order", () => {
    const audience = new Audience();
    const heard: string[] = [];
    const [one, two] = [listener(heard), listener(heard)];
    audience.set(one, ["a"]);
    audience.set(two, ["a", "b"]);
    for (const topic of ["a", "b", "c", "a"]) audience.deliver(all(topic, topic));
    expect(heard.filter((line) => line.startsWith(one.id))).toEqual([`${one.id}:a`, `${one.id}:a`]);
    expect(heard.filter((line) => line.startsWith(two.id)).map((line) => line.at(-1))).toEqual(["a", "b", "a"]);
    expect(audience.size).toBe(2);
  });

  it("RT-6: whoever changes topics or leaves hears what it should from then on", () => {
    const audience = new Audience();
    const heard: string[] = [];
    const one = listener(heard);
    audience.set(one, ["a"]);
    audience.set(one, ["b"]);
    expect(audience.heard(["a", "b", "c"])).toEqual(["b"]);
    audience.deliver(all("a", "no"));
    audience.deliver(all("b", "yes"));
    audience.remove(one);
    audience.remove(one);
    audience.deliver(all("b", "no"));
    expect(heard).toEqual([`${one.id}:yes`]);
    expect([audience.size, audience.has(one), audience.heard(["a", "b"])]).toEqual([0, false, []]);
  });

  it("a message for one listener reaches only it, and only when it hears the topic", () => {
    const audience = new Audience();
    const heard: string[] = [];
    const [one, two] = [listener(heard), listener(heard)];
    audience.set(one, ["a"]);
    audience.set(two, ["a"]);
    audience.deliver({ topic: "a", text: "x", to: two.id });
    audience.deliver({ topic: "b", text: "x", to: two.id });
    expect(heard).toEqual([`${two.id}:x`]);
  });

  it("RT-12: one that is cut off while it hears does not keep the message from the others", () => {
    const audience = new Audience();
    const heard: string[] = [];
    const leaving: Listener = listener(heard, () => audience.remove(leaving));
    const others = [listener(heard), listener(heard)];
    for (const each of [leaving, ...others]) audience.set(each, ["a"]);
    audience.deliver(all("a", "x"));
    expect(heard).toHaveLength(3);
  });
});
