/**
 * The engine and the app that the registration tests share. Importing this file starts them before the tests and ends them afterwards.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll } from "vitest";
import * as z from "zod";
import { type RunJson, startTestEngine, type TestEngine } from "../../harness/engine.ts";
import { type ScriptedApp, type ScriptedFunction, startScriptedApp } from "../../harness/scripted-app.ts";
import { done } from "../ops.ts";

export let engine: TestEngine;
export let app: ScriptedApp;

beforeAll(async () => {
  [engine, app] = await Promise.all([startTestEngine(), startScriptedApp()]);
});

afterAll(async () => {
  await Promise.all([engine?.stop(), app?.stop()]);
});

/** A function that answers "done". */
export function plain(id: string, more: Partial<ScriptedFunction> = {}): ScriptedFunction {
  return { id, event: `reg/${id}`, script: () => done(), ...more };
}

/** All functions of an app, archived ones included. */
export async function functionsOf(name: string): Promise<{ slug: string; version: number; archived: boolean }[]> {
  const { json } = await engine.api("GET", `/v1/apps/${name}/functions`);
  return z.array(z.object({ slug: z.string(), version: z.number(), archived: z.boolean() })).parse(json);
}

/** The runs that a new event of this name starts. */
export async function runsFor(name: string): Promise<RunJson[]> {
  const [id = ""] = await engine.send({ name });
  return await engine.runsOf(id);
}

/** A registration or reply captured from an SDK, as text. */
export function captured(name: string): string {
  return readFileSync(new URL(`../../../fixtures/registration/${name}.json`, import.meta.url), "utf8");
}

/** A function with nothing but what it needs. */
export function fn(id: string) {
  return { id, name: id, triggers: [{ event: "reg/any" }], steps: {} };
}
