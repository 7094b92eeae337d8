/**
 * Hostile requests to the routes that take something: events, registrations, checkpoints, realtime and commands. None is answered by a
 * failure of the engine, every refusal says what it is, and none leaves a trace (SE-15, EV-4, API-4).
 */
import { beforeAll, describe, it } from "vitest";
import { LOCAL } from "../../../src/environments/environment.ts";
import { ensureSchema } from "../../../src/history/schema.ts";
import { runStub } from "../../../src/objects.ts";
import { KEYS } from "../../fuzz/key-surfaces.ts";
import { CHECKPOINTS, COMMANDS, INGEST, KNOWN_RUN, NEW_RUN, REALTIME, REGISTER } from "../../fuzz/surfaces.ts";
import { bindings } from "../records.ts";
import { muteApps } from "../registered.ts";
import { attack, inDevMode } from "./attack.ts";

const TIMEOUT = 120_000;

beforeAll(async () => {
  muteApps();
  await ensureSchema(bindings.DB);
});

describe("hostile requests", () => {
  it("SE-15, EV-4: events", { timeout: TIMEOUT }, async () => {
    await attack(INGEST, { cases: 1200 });
  });

  it("SE-15: registrations", { timeout: TIMEOUT }, async () => {
    // A refused registration is kept in the history of syncs (AP-9), and there only.
    await attack(REGISTER, { cases: 600, moving: (table) => /^(?:syncs$|metric_)/.test(table) });
  });

  it("SE-15: realtime", { timeout: TIMEOUT }, async () => {
    await attack(REALTIME, { cases: 600 });
  });

  it("SE-15: commands", { timeout: TIMEOUT }, async () => {
    await attack(COMMANDS, { cases: 800 });
  });

  it("SE-15: environments and keys", { timeout: TIMEOUT }, async () => {
    await attack(KEYS, { cases: 500, moving: (table) => /^(?:event|api)_keys$/.test(table) });
  });

  // Last: what was accepted goes on, and history hears of it when it does.
  it("SE-15: checkpoints of a run that goes on", { timeout: TIMEOUT }, async () => {
    const body = JSON.stringify(NEW_RUN);
    await inDevMode(new Request("http://engine/v1/checkpoint", { method: "POST", body }));
    const moving = (table: string) => !["apps", "functions", "catalog_versions"].includes(table);
    const alsoSame = async () => await runStub(bindings, LOCAL.id, KNOWN_RUN).actions();
    await attack(CHECKPOINTS, { cases: 800, moving, alsoSame });
  });
});
