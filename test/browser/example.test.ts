/**
 * `examples/realtime` as its reader runs it: its own process beside an engine, a page in a real browser, and a person who answers.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../cli/port.ts";
import { startTestEngine, type TestEngine } from "../conformance/harness/engine.ts";
import { openPage, startBrowser } from "./chromium.ts";

let engine: TestEngine;
let browser: Browser;
let app: ChildProcess;
let url = "";

beforeAll(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  [engine, browser] = await Promise.all([startTestEngine(), startBrowser()]);
  app = spawn(process.execPath, ["app.ts"], {
    cwd: resolve(import.meta.dirname, "../../examples/realtime"),
    env: { ...process.env, PORT: String(port), INNGEST_DEV: engine.url },
    stdio: "ignore",
  });
  await engine.until(async () => (await fetch(url)).ok);
  const synced = await fetch(`${url}/api/inngest`, { method: "PUT" });
  expect(synced.status, await synced.text()).toBe(200);
});
afterAll(async () => {
  await browser?.close();
  if (app?.exitCode === null) {
    app.kill("SIGKILL");
    await once(app, "exit");
  }
  await engine?.stop();
});

describe("the example of realtime", () => {
  it.each([
    ["approve", "on its way"],
    ["refuse", "put back on the shelf"],
  ])("RT-6, RT-15: shows each turn of a run, and the run goes on when somebody clicks %s", async (button, result) => {
    const { page, complaints } = await openPage(browser, url);
    await page.click("#start");
    await page.waitForFunction(() => document.querySelectorAll("#log li").length === 3);
    await page.waitForSelector(`#${button}`, { state: "visible" });
    expect(await page.textContent("#question")).toBe("Send 3 items?");
    expect(await page.textContent("#result")).toBe("");
    await page.click(`#${button}`);
    await page.waitForFunction((text) => document.getElementById("result")?.textContent === text, result);
    expect(await page.locator("#log li").allTextContents()).toEqual([
      "packed: teapot",
      "packed: two cups",
      "packed: a pound of tea",
    ]);
    await page.waitForFunction(() => document.getElementById("state")?.textContent === "done");
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("RT-4: two orders at the same time do not hear each other", async () => {
    const pages = await Promise.all([openPage(browser, url), openPage(browser, url)]);
    await Promise.all(pages.map(({ page }) => page.click("#start")));
    for (const { page } of pages) await page.waitForSelector("#approve", { state: "visible" });
    const [first, second] = pages;
    await first?.page.click("#approve");
    await first?.page.waitForFunction(() => document.getElementById("result")?.textContent === "on its way");
    expect(await second?.page.textContent("#result")).toBe("");
    for (const { page } of pages) {
      expect(await page.locator("#log li").count()).toBe(3);
      await page.close();
    }
  });
});
