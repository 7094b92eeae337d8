/**
 * The engine and the app that the ingest tests share. Importing this file starts them before the tests and ends them afterwards.
 */
import { afterAll, beforeAll, expect } from "vitest";
import { startTestEngine, type TestEngine } from "../../harness/engine.ts";
import { type ScriptedApp, startScriptedApp } from "../../harness/scripted-app.ts";
import { done } from "../ops.ts";

export const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

export const MIB = 1024 * 1024;

export let engine: TestEngine;
export let app: ScriptedApp;

beforeAll(async () => {
  [engine, app] = await Promise.all([startTestEngine(), startScriptedApp()]);
  const script = () => done();
  const registered = await app.register(engine, "in", [
    { id: "refused", script, options: { triggers: [{ event: "in/refused.*" }] } },
    { id: "one", event: "in/one", script },
    { id: "big", event: "in/big", script },
    ...["first", "second", "third"].map((id) => ({ id, event: "in/three", script })),
    { id: "twice", script, options: { triggers: [{ event: "in/twice.a" }, { event: "in/twice.*" }] } },
    { id: "if", script, options: { triggers: [{ event: "in/if", expression: "event.data.n > 1" }] } },
    { id: "error", script, options: { triggers: [{ event: "in/if", expression: "event.data.text < 5" }] } },
  ]);
  expect(registered.json, registered.text).toMatchObject({ ok: true });
});

afterAll(async () => {
  await Promise.all([engine?.stop(), app?.stop()]);
});

/** The time part of a ULID, ms since 1970. */
export function ulidTime(id: string): number {
  const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  return [...id.slice(0, 10)].reduce((time, letter) => time * 32 + alphabet.indexOf(letter), 0);
}
