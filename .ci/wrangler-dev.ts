/**
 * Proves that plain `wrangler dev` runs the engine too: it starts, takes an event, and gives it back from its database.
 * State is temporary; everything started is ended. Fails after a minute.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const PORT = 18_288;
const DEADLINE = Date.now() + 60_000;
const origin = `http://127.0.0.1:${PORT}`;

const state = await mkdtemp(join(tmpdir(), "millrace-wrangler-"));
const args = ["wrangler", "dev", "--port", `${PORT}`, "--var", "MILLRACE_MODE:dev", "--persist-to", state];
const server = spawn("npx", args, {
  stdio: ["ignore", "ignore", "inherit"],
  detached: true,
  env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_LOG: "error", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
});
try {
  await until(async () => (await fetch(`${origin}/health`)).ok);
  const sent = await fetch(`${origin}/e/dev`, { method: "POST", body: '{"name":"ci/ping","data":{"n":1}}' });
  const { ids }: { ids?: string[] } = JSON.parse(await sent.text());
  const read = await fetch(`${origin}/v1/events/${ids?.[0]}`);
  const { data }: { data?: { name?: string } } = JSON.parse(await read.text());
  if (data?.name !== "ci/ping") throw new Error(`the event was not read back: ${JSON.stringify(data)}`);
  console.log("wrangler dev: an event was taken and read back");
} finally {
  // The group, because wrangler starts the runtime as children of its own.
  if (server.pid !== undefined) process.kill(-server.pid, "SIGKILL");
  await rm(state, { recursive: true, force: true, maxRetries: 5 });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (;;) {
    try {
      if (await holds()) return;
    } catch (error) {
      if (Date.now() > DEADLINE) throw error;
    }
    if (Date.now() > DEADLINE) throw new Error("wrangler dev did not become ready within a minute");
    await sleep(250);
  }
}
