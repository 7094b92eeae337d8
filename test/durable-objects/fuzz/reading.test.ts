/**
 * Hostile requests to everything that reads, and to everything at once by a stranger to a deployment in cloud mode (SE-1, SE-15, SE-21).
 */
import { beforeAll, describe, expect, it } from "vitest";
import { router } from "../../../src/api/router.ts";
import type { Bindings } from "../../../src/bindings.ts";
import { ensureSchema } from "../../../src/history/schema.ts";
import { CHECKPOINTS, COMMANDS, everyRoute, INGEST, READS, REALTIME, REGISTER } from "../../fuzz/surfaces.ts";
import { bindings } from "../records.ts";
import { attack, storedState } from "./attack.ts";

const TIMEOUT = 120_000;
const KEY = "0123456789abcdef".repeat(4);

/** A deployment of its own as far as the settings are concerned. */
const cloud: Bindings = {
  ...bindings,
  MILLRACE_MODE: "cloud",
  INNGEST_SIGNING_KEY: `signkey-prod-${KEY}`,
  INNGEST_EVENT_KEY: "a-key-that-nobody-guesses",
  MILLRACE_SECRET: KEY,
};

beforeAll(() => ensureSchema(bindings.DB));

describe("hostile requests", () => {
  it("SE-15, API-4: reads", { timeout: TIMEOUT }, async () => {
    const before = await storedState();
    await attack(READS, { cases: 1000 });
    expect(await storedState()).toEqual(before);
  });

  it("SE-15: every route there is, whatever it is for", { timeout: TIMEOUT }, async () => {
    await attack(everyRoute(router.routes), { cases: 1600, loose: true });
  });

  it("SE-1, SE-15: of a stranger to everything, of which nothing happens", { timeout: TIMEOUT }, async () => {
    const before = await storedState();
    const surfaces = [...INGEST, ...REGISTER, ...CHECKPOINTS, ...REALTIME, ...COMMANDS, ...READS];
    await attack(surfaces, { cases: 1200, target: async (request) => await router.fetch(request, cloud) });
    expect(await storedState()).toEqual(before);
  });
});
