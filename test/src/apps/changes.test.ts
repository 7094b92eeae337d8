import { describe, expect, it } from "vitest";
import { changesBetween, checksumOf, configurationText, type StoredFunction } from "../../../src/apps/changes.ts";
import type { FunctionConfiguration } from "../../../src/apps/function.ts";
import type { NormalisedFunction } from "../../../src/apps/normalise.ts";
import { configurationWith } from "./configuration.ts";

const BASE = configurationWith({
  triggers: [{ kind: "event", event: "a/b", expression: null }],
  url: "https://app.example.com/api/inngest",
});

function configured(slug: string, options: Partial<FunctionConfiguration> = {}, name = slug): NormalisedFunction {
  return { slug, name, configuration: { ...BASE, ...options } };
}

function stored(known: NormalisedFunction, archived = false): StoredFunction {
  const { slug, name, configuration } = known;
  return { id: `id-${slug}`, slug, name, url: configuration.url, configuration: configurationText(known), archived };
}

const throttle = { limit: 1, period: 1000, burst: 1, key: null };

describe("changes", () => {
  it.each<[string, NormalisedFunction, NormalisedFunction, { field: string; before: unknown; after: unknown }[]]>([
    ["retries", configured("a"), configured("a", { retries: 2 }), [{ field: "retries", before: 4, after: 2 }]],
    ["the name", configured("a"), configured("a", {}, "B"), [{ field: "name", before: "a", after: "B" }]],
    [
      "one field of an option",
      configured("a", { throttle }),
      configured("a", { throttle: { ...throttle, limit: 3 } }),
      [{ field: "throttle.limit", before: 1, after: 3 }],
    ],
    [
      "a new option",
      configured("a"),
      configured("a", { throttle }),
      [{ field: "throttle", before: null, after: throttle }],
    ],
    [
      "a trigger",
      configured("a"),
      configured("a", { triggers: [] }),
      [{ field: "triggers", before: BASE.triggers, after: [] }],
    ],
    [
      "the URL",
      configured("a"),
      configured("a", { url: "https://b/" }),
      [{ field: "url", before: BASE.url, after: "https://b/" }],
    ],
  ])("AP-11: %s shows as exactly that", (_what, before, after, fields) => {
    expect(changesBetween([stored(before)], [after])).toEqual({
      added: [],
      changed: [{ slug: "a", fields }],
      removed: [],
    });
  });

  it("AP-7: missing functions are removed, returning ones added, archived ones left alone", () => {
    const known = [
      stored(configured("a")),
      stored(configured("b")),
      stored(configured("c"), true),
      stored(configured("d"), true),
    ];
    const changes = changesBetween(known, [configured("a"), configured("c"), configured("e")]);
    expect(changes).toEqual({ added: ["c", "e"], changed: [], removed: ["b"] });
  });

  it("AP-6: the URL is no part of what makes a version", () => {
    expect(configurationText(configured("a", { url: "https://elsewhere/" }))).toBe(configurationText(configured("a")));
    expect(configurationText(configured("a", { retries: 1 }))).not.toBe(configurationText(configured("a")));
  });
});

describe("checksum", () => {
  const app = { name: "app", url: BASE.url, sdk: "js:v4.24.0", framework: "nodejs", appVersion: null };
  const functions = [configured("a"), configured("b")];

  it("AP-6: is the same for the same configuration, in any order", async () => {
    const checksum = await checksumOf(app, functions);
    expect(checksum).toMatch(/^[0-9a-f]{64}$/);
    expect(await checksumOf({ ...app }, functions.toReversed())).toBe(checksum);
  });

  it("AP-6: differs with everything that was registered", async () => {
    const variants = await Promise.all([
      checksumOf(app, functions),
      checksumOf({ ...app, name: "other" }, functions),
      checksumOf({ ...app, url: "https://b/" }, functions),
      checksumOf({ ...app, sdk: "js:v4.24.1" }, functions),
      checksumOf({ ...app, framework: "express" }, functions),
      checksumOf({ ...app, appVersion: "2" }, functions),
      checksumOf(app, [configured("a")]),
      checksumOf(app, [configured("a"), configured("b", {}, "B")]),
      checksumOf(app, [configured("a"), configured("b", { retries: 1 })]),
      checksumOf(app, [configured("a"), configured("b", { url: "https://b/" })]),
    ]);
    expect(new Set(variants).size).toBe(variants.length);
  });
});
