/**
 * Chromium for tests of pages: Debian's package, driven by playwright-core. Owns finding or installing it, and that a page's own errors
 * fail the test that looks for them.
 */
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { promisify } from "node:util";
import { type Browser, chromium, type Page } from "playwright-core";

const PATH = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const run = promisify(execFile);

/** Starts the browser, after installing it where that is possible. Throws what to do where it is not. */
export async function startBrowser(): Promise<Browser> {
  if (!(await exists(PATH))) await install();
  // As root, which containers are, Chromium runs without its sandbox or not at all.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return await chromium.launch({ executablePath: PATH, args });
}

/** A page, and everything it has complained about. */
export async function openPage(browser: Browser, url: string): Promise<{ page: Page; complaints: readonly string[] }> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}

async function install(): Promise<void> {
  const missing = `There is no ${PATH}. Install Debian's package "chromium", or name another browser's path in CHROMIUM`;
  if (process.env["CHROMIUM"] !== undefined || process.getuid?.() !== 0) throw new Error(`${missing}.`);
  try {
    await run("apt-get", ["update"]);
    await run("apt-get", ["install", "-y", "--no-install-recommends", "chromium"]);
  } catch (error) {
    throw new Error(`${missing}; apt-get could not.`, { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
