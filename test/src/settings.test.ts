import { describe, expect, it } from "vitest";
import type { Bindings } from "../../src/bindings.ts";
import { readSettings } from "../../src/settings.ts";

const [SECRET, OTHER] = ["ab".repeat(32), "cd".repeat(32)];

// Settings read variables and nothing else of the bindings.
const read = (variables: Partial<Bindings>) => readSettings(variables as Bindings);

describe('spec/00 "Environment variables": secrets of tokens', () => {
  it("SE-14: the current one comes first, the one before is still accepted", () => {
    expect(read({ MILLRACE_SECRET: SECRET }).secrets).toEqual([SECRET]);
    expect(read({ MILLRACE_SECRET: SECRET, MILLRACE_SECRET_PREVIOUS: OTHER }).secrets).toEqual([SECRET, OTHER]);
    expect(read({ MILLRACE_SECRET_PREVIOUS: OTHER }).secrets).toEqual([]);
  });

  it("cloud mode has none unless it is set; dev mode has one that everybody knows", () => {
    expect(read({}).secrets).toEqual([]);
    expect(read({ MILLRACE_MODE: "dev" }).secrets).toHaveLength(1);
    expect(read({ MILLRACE_MODE: "dev", MILLRACE_SECRET: SECRET }).secrets).toEqual([SECRET]);
  });

  it.each(["", "ab", "x".repeat(64), `${SECRET}ab`])("a secret like %j is refused without being repeated", (secret) => {
    const refused = () => read({ MILLRACE_SECRET: secret });
    expect(refused).toThrow("MILLRACE_SECRET: must be 32 bytes in hex");
    if (secret !== "") expect(refused).not.toThrow(secret);
  });
});

describe("missed crons", () => {
  it("TR-13: the latest one is made up for, in dev mode none, unless set", () => {
    expect(read({}).cronCatchUp).toBe("latest");
    expect(read({ MILLRACE_MODE: "dev" }).cronCatchUp).toBe("skip");
    expect(read({ MILLRACE_MODE: "dev", MILLRACE_CRON_CATCH_UP: "all" }).cronCatchUp).toBe("all");
    expect(() => read({ MILLRACE_CRON_CATCH_UP: "some" })).toThrow("MILLRACE_CRON_CATCH_UP");
  });
});

describe("how long endpoints wait", () => {
  it("five minutes, unless set within its range", () => {
    expect(read({})).toMatchObject({ endpointLease: 300_000, endpointWait: 300_000 });
    expect(read({ MILLRACE_ENDPOINT_LEASE: "90s", MILLRACE_ENDPOINT_WAIT: "1m" })).toMatchObject({
      endpointLease: 90_000,
      endpointWait: 60_000,
    });
    expect(() => read({ MILLRACE_ENDPOINT_WAIT: "1h" })).toThrow("MILLRACE_ENDPOINT_WAIT");
  });
});
