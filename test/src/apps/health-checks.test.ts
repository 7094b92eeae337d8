import { describe, expect, test } from "vitest";
import { checksOf, type Examined } from "../../../src/apps/health-checks.ts";

const NOW = Date.UTC(2026, 10, 21, 12);

/** An app that is well, in cloud mode. */
function examined(
  told: Readonly<Record<string, unknown>> = {},
  reply: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
  more: Partial<Examined> = {},
): Examined {
  const body = JSON.stringify({
    mode: "cloud",
    function_count: 3,
    has_event_key: true,
    authentication_succeeded: true,
    schema_version: "2024-05-24",
    ...told,
  });
  const headers = { date: new Date(NOW).toUTCString(), "x-inngest-sdk-handled": "true", ...reply.headers };
  return {
    app: { url: "https://app.example/api/inngest?x=1", functions: 3 },
    settings: { mode: "cloud", signingKeys: ["00"] },
    introspected: { ok: true, reply: { status: reply.status ?? 200, headers, body } },
    large: { ok: true, reply: { status: 200, headers: {}, body: "" } },
    now: NOW,
    ...more,
  };
}

function resultOf(given: Examined, name: string) {
  return checksOf(given).find(({ check }) => check === name);
}

describe("AP-26: checks of an app's health", () => {
  test("an app that is well has nothing against it", () => {
    expect(checksOf(examined()).map(({ result }) => result)).toEqual(Array(10).fill("ok"));
  });

  test("an app of the wrong key: the signature is rejected, and the hash of its key is said when the app tells it", () => {
    const told = { authentication_succeeded: false, signing_key_hash: "223e0a160af9ffff" };
    expect(resultOf(examined(told), "signing_key")).toMatchObject({
      result: "failed",
      detail: "The app rejects the engine's signature. The app's key has the hash 223e0a160af9.",
      advice: expect.stringContaining("INNGEST_SIGNING_KEY"),
    });
    expect(resultOf(examined({ authentication_succeeded: null, has_signing_key: false }), "signing_key")).toMatchObject(
      {
        result: "failed",
        detail: "The app rejects the engine's signature. The app has no signing key.",
      },
    );
  });

  test("an app in the other mode is told which variable to set", () => {
    expect(resultOf(examined({ mode: "dev" }), "mode")?.advice).toBe("Set INNGEST_DEV=0 in the app.");
    const dev = { settings: { mode: "dev", signingKeys: [] } } as const;
    expect(resultOf(examined({ mode: "cloud" }, {}, dev), "mode")?.advice).toBe("Set INNGEST_DEV=1 in the app.");
    expect(resultOf(examined({ mode: "dev", has_event_key: false }, {}, dev), "event_key")?.result).toBe("ok");
  });

  test.each([
    [{ has_event_key: false }, "event_key"],
    [{ function_count: 4 }, "function_count"],
    [{ serve_origin: "https://other.example" }, "url"],
    [{ serve_path: "/elsewhere" }, "url"],
  ])("%j fails %s", (told, check) => {
    expect(resultOf(examined(told), check)?.result).toBe("failed");
  });

  test.each([
    [{ headers: { date: new Date(NOW + 6 * 60_000).toUTCString() } }, "clock_skew"],
    [{ headers: { date: new Date(NOW - 6 * 60_000).toUTCString() } }, "clock_skew"],
    [{ status: 403 }, "http_status"],
  ])("%j fails %s", (reply, check) => {
    expect(resultOf(examined({}, reply), check)?.result).toBe("failed");
  });

  test("what an app does not say is unknown, not right", () => {
    const silent = {
      mode: undefined,
      function_count: undefined,
      has_event_key: undefined,
      authentication_succeeded: undefined,
    };
    const names = ["mode", "signing_key", "event_key", "function_count"];
    expect(names.map((name) => resultOf(examined(silent), name)?.result)).toEqual(names.map(() => "unknown"));
  });

  test("a large body that is refused or not answered fails", () => {
    const refused = { ok: true, reply: { status: 413, headers: {}, body: "" } } as const;
    expect(resultOf(examined({}, {}, { large: refused }), "body_size")?.result).toBe("failed");
    const cut = { ok: false, code: "app_unreachable", message: "The connection was reset." } as const;
    expect(resultOf(examined({}, {}, { large: cut }), "body_size")?.detail).toContain("reset");
  });

  test("an app that cannot be reached leaves the rest unknown", () => {
    const introspected = { ok: false, code: "app_unreachable", message: "No such host." } as const;
    const checks = checksOf(examined({}, {}, { introspected, large: null }));
    expect(checks[0]).toMatchObject({ check: "reachable", result: "failed", detail: "No such host." });
    expect(checks.slice(1).every(({ result }) => result === "unknown")).toBe(true);
  });
});
