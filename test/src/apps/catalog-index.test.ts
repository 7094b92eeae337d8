import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildCatalog } from "../../../src/apps/catalog-index.ts";
import type { RegisteredFunction, Trigger } from "../../../src/apps/function.ts";
import { WAITS } from "../../../src/limits.ts";
import { configurationWith } from "./configuration.ts";

const event = (name: string, expression: string | null = null): Trigger => ({ kind: "event", event: name, expression });

function registered(slug: string, triggers: readonly Trigger[], archived = false): RegisteredFunction {
  return {
    id: `id-${slug}`,
    slug,
    name: slug,
    version: 1,
    app: { id: "app-id", name: "app" },
    configuration: configurationWith({ triggers, url: "https://app.example.com/" }),
    archived,
    paused: null,
    resumed: null,
  };
}

const app = { id: "app-id", name: "app", url: "https://app.example.com/", sdk: "js:v4.24.0", archived: false };

describe("the functions of an event", () => {
  const catalog = buildCatalog(
    1,
    [app],
    [
      registered("all", [event("app/*")]),
      registered("any-function", [event("inngest/function.*")]),
      registered("blog", [event("app/blog.post.*")]),
      registered("cron", [{ kind: "cron", cron: "@daily", jitter: null }]),
      registered("dotted", [event("user.*")]),
      registered("exact", [event("app/user.created")]),
      registered("failed", [event("inngest/function.failed")]),
      registered("gone", [event("app/user.created")], true),
      registered("several", [event("app/user.*", "false"), event("app/user.created"), event("app/*")]),
      registered("user", [event("app/user.*")]),
    ],
  );

  it.each<[string, string[]]>([
    ["app/user.created", ["all", "exact", "several", "several", "several", "user"]],
    ["app/blog.post.published", ["all", "blog", "several"]],
    ["app/user.created.twice", ["all", "several", "several", "user"]],
    ["App/user.created", []],
    ["app", []],
    ["application/user.created", []],
    ["app/", ["all", "several"]],
    ["user.created", ["dotted"]],
    ["user", []],
    ["inngest/function.failed", ["any-function", "failed"]],
    ["inngest/scheduled.timer", []],
    ["", []],
  ])("TR-4, TR-5: %s", (name, slugs) => {
    expect(catalog.functionsFor(name).map((match) => match.function.slug)).toEqual(slugs);
  });

  it("TR-8: several triggers of one function come in their order", () => {
    const triggers = catalog.functionsFor("app/user.created").filter((match) => match.function.slug === "several");
    expect(triggers.map(({ trigger }) => trigger.event)).toEqual(["app/user.*", "app/user.created", "app/*"]);
  });

  it("TR-4, TR-5: the index finds what comparing every trigger finds", () => {
    const segment = fc.constantFrom("a", "b", "user", "inngest", "");
    const separator = fc.constantFrom("/", ".");
    const name = fc
      .array(fc.tuple(segment, separator), { maxLength: 3 })
      .chain((parts) => segment.map((last) => parts.flat().join("") + last));
    const trigger = fc
      .tuple(name, separator, fc.boolean())
      .map(([text, end, wildcard]) => event(wildcard ? `${text}${end}*` : text));
    const functions = fc.array(fc.tuple(fc.array(trigger, { maxLength: 4 }), fc.boolean()), { maxLength: 6 });
    fc.assert(
      fc.property(functions, name, (made, eventName) => {
        const all = made.map(([triggers, archived], at) => registered(`f${at}`, triggers, archived));
        const expected = all.flatMap((candidate) => {
          if (candidate.archived) return [];
          return candidate.configuration.triggers.filter((one) => {
            if (one.kind !== "event") return false;
            if (!one.event.endsWith("*")) return one.event === eventName;
            if (eventName.startsWith("inngest/") && !one.event.startsWith("inngest/")) return false;
            return eventName.startsWith(one.event.slice(0, -1));
          });
        });
        const found = buildCatalog(1, [], all).functionsFor(eventName);
        expect(found.map((match) => match.trigger)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});

describe("look-up", () => {
  it("finds apps by id and functions by slug or id, archived ones too", () => {
    const catalog = buildCatalog(3, [app], [registered("app-f", []), registered("app-g", [], true)]);
    expect(catalog.version).toBe(3);
    expect(catalog.app("app-id")).toBe(app);
    expect(catalog.app("other")).toBeNull();
    expect(catalog.functionBySlug("app-g")?.archived).toBe(true);
    expect(catalog.functionBySlug("id-app-f")).toBeNull();
    expect(catalog.functionById("id-app-f")?.slug).toBe("app-f");
    expect(catalog.functionNamed("app-f")?.slug).toBe("app-f");
    expect(catalog.functionNamed("id-app-f")?.slug).toBe("app-f");
    expect(catalog.functionNamed("nothing")).toBeNull();
  });

  it("AP-7: of two functions with one slug the active one is found, wherever it stands", () => {
    const old = { ...registered("a-b-c", [], true), id: "old" };
    const current = { ...registered("a-b-c", []), id: "current" };
    expect(buildCatalog(1, [], [old, current]).functionBySlug("a-b-c")?.id).toBe("current");
    expect(buildCatalog(1, [], [current, old]).functionBySlug("a-b-c")?.id).toBe("current");
  });
});

describe("awaits", () => {
  it("EX-41: says which event names a run may be waiting for; they are exact", () => {
    const catalog = buildCatalog(1, [], [], ["app/a", "app/b"]);
    expect(["app/a", "app/b", "app/c", "app/", "app/*"].map(catalog.awaits)).toEqual([true, true, false, false, false]);
    expect(buildCatalog(1, [], []).awaits("app/a")).toBe(false);
  });

  it("CR-2: knows what functions are cancelled on from their registration; runs of archived ones go on (AP-7)", () => {
    const cancelledOn = (slug: string, archived: boolean): RegisteredFunction => {
      const fn = registered(slug, [event("app/start")], archived);
      const cancel = [{ event: `${slug}/stop`, condition: null, timeout: null }];
      return { ...fn, configuration: { ...fn.configuration, cancel } };
    };
    const catalog = buildCatalog(1, [app], [cancelledOn("one", false), cancelledOn("two", true)], ["app/a"]);
    expect(["one/stop", "two/stop", "app/a", "app/start"].map(catalog.awaits)).toEqual([true, true, true, false]);
  });

  it("is true of every name once there are too many to list", () => {
    const names = Array.from({ length: WAITS.names + 1 }, (_, i) => `app/${i}`);
    expect(buildCatalog(1, [], [], names).awaits("app/other")).toBe(true);
    expect(buildCatalog(1, [], [], names.slice(1)).awaits("app/other")).toBe(false);
    // No object can have such a name, so that nobody waits for it and asking would fail.
    expect(buildCatalog(1, [], [], names).awaits("\u{1F600}".repeat(256))).toBe(false);
  });
});
