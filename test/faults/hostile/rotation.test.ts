/**
 * Row 17 of the fault matrix: keys are rotated while runs go on (SE-7). A cloud-mode engine that is started again with other keys, on the same
 * data, and real SDK apps that are deployed with other keys in between, in the order of the spec and in a wrong one.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type App, serveApp } from "../../conformance/harness/app.ts";
import { startTestEngine, type TestEngine } from "../../conformance/harness/engine.ts";
import { createLedger } from "../../conformance/harness/ledger.ts";
import { type Client, type ClientOptions, SDKS, type SdkName } from "../../conformance/harness/sdk.ts";
import { jobsOf } from "../../conformance/wire/case.ts";
import { engineLog } from "./table.ts";

const OLD = "signkey-test-00112233445566778899aabbccddeeff";
const NEW = "signkey-test-ffeeddccbbaa99887766554433221100";
const WRONG = "signkey-test-0123456789abcdef0123456789abcdef";

const SDK_NAMES: readonly SdkName[] = ["v3", "v4"];
/** Runs begun in each phase; they sleep into the next one. */
const RUNS = 4;
/** How long a run sleeps: into the next phase. What is due while no engine runs is done when the next one does. */
const NAP = "4s";

const log = engineLog();
const { mark, names } = createLedger();
let directory: string;
let engine: TestEngine;
let apps: readonly { readonly sdk: SdkName; readonly app: App }[] = [];

/** Starts the engine with these keys on the data it has. */
async function start(current: string, other?: string): Promise<void> {
  await engine?.stop();
  engine = await startTestEngine({
    persistDir: directory,
    onLine: log.onLine,
    bindings: {
      MILLRACE_MODE: "cloud",
      MILLRACE_ALLOW_PRIVATE_APPS: "1",
      INNGEST_EVENT_KEY: "the-event-key",
      INNGEST_SIGNING_KEY: current,
      ...(other === undefined ? {} : { INNGEST_SIGNING_KEY_FALLBACK: other }),
    },
  });
}

function clientOf(sdk: SdkName, keys: Pick<ClientOptions, "signingKey" | "signingKeyFallback">): Client {
  const id = `rotation-${sdk}`;
  return SDKS[sdk].client({ id, engine: engine.url, mode: "cloud", eventKey: "the-event-key", ...keys });
}

function functionsOf(client: Client) {
  const { sdk } = client;
  return [
    client.fn<{ key: string }>({ id: "f", retries: 2 }, [{ event: `${sdk}/go` }], async ({ event, step }) => {
      const { key } = event.data;
      const first = await step.run("before", () => mark(`${sdk} ${key} before`) ?? key);
      await step.sleep("nap", NAP);
      const second = await step.run("after", () => mark(`${sdk} ${key} after`) ?? key);
      return [first, second];
    }),
  ];
}

/** Deploys every app with these keys and syncs it. */
async function deploy(keys: Pick<ClientOptions, "signingKey" | "signingKeyFallback">): Promise<void> {
  for (const { sdk, app } of apps) {
    const client = clientOf(sdk, keys);
    await app.resync(functionsOf(client), client);
  }
}

/** Begins runs of every app; answers their events. */
async function begin(phase: string): Promise<{ readonly id: string; readonly key: string }[]> {
  const begun: { id: string; key: string }[] = [];
  for (const sdk of SDK_NAMES) {
    const keys = Array.from({ length: RUNS }, (_, n) => `${phase} ${n}`);
    const ids = await engine.send(keys.map((key) => ({ name: `${sdk}/go`, data: { key } })));
    begun.push(...ids.map((id, n) => ({ id, key: keys[n] ?? "" })));
  }
  for (const { id } of begun) await engine.until(() => isAsleep(id));
  return begun;
}

async function isAsleep(eventId: string): Promise<boolean> {
  const [run] = await engine.runsOf(eventId);
  return run !== undefined && (await jobsOf(engine, run.run_id)).some(({ kind }) => kind === "sleep");
}

async function expectCompleted(begun: Awaited<ReturnType<typeof begin>>): Promise<void> {
  for (const { id, key } of begun) {
    const [run] = await engine.ended(id, 1, 60_000);
    expect(run, `${key}: ${JSON.stringify(run?.output)}`).toMatchObject({ status: "Completed", output: [key, key] });
  }
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "rotation-"));
  await start(OLD);
  apps = await Promise.all(
    SDK_NAMES.map(async (sdk) => {
      const client = clientOf(sdk, { signingKey: OLD });
      return { sdk, app: await serveApp(client, functionsOf(client)) };
    }),
  );
});

afterAll(async () => {
  for (const { app } of apps) await app.stop();
  await engine?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe("row 17: keys are rotated", () => {
  it("row 17: no run fails during the four steps of a rotation (SE-3, SE-7, EX-40)", async () => {
    const runs = [...(await begin("one key"))];
    await start(OLD, NEW);
    runs.push(...(await begin("both keys")));
    await deploy({ signingKey: NEW, signingKeyFallback: OLD });
    runs.push(...(await begin("apps have both")));
    await start(NEW, OLD);
    await deploy({ signingKey: NEW });
    runs.push(...(await begin("the new one signs")));
    await start(NEW);
    runs.push(...(await begin("the old one is gone")));
    await expectCompleted(runs);
    for (const sdk of SDK_NAMES) expect(new Set(names(`${sdk} `)).size).toBe(runs.length);
  }, 170_000);

  it("row 17: an app deployed with a wrong key refuses calls until it has the right one; its runs neither fail at once nor repeat anything (SE-7, EX-24)", async () => {
    const runs = await begin("a wrong deployment");
    for (const { sdk, app } of apps) {
      const client = clientOf(sdk, { signingKey: WRONG });
      app.redeploy(functionsOf(client), client);
    }
    const before = apps.map(({ app }) => app.calls());
    await engine.until(() => apps.every(({ app }, n) => app.calls() >= (before[n] ?? 0) + RUNS));
    await deploy({ signingKey: WRONG, signingKeyFallback: NEW });
    await expectCompleted(runs);
    for (const sdk of SDK_NAMES) expect(names(`${sdk} a wrong deployment`)).toHaveLength(RUNS * 2);
  }, 120_000);

  it("SE-14, SE-15: the engine logged no failure of its own, and no key", () => {
    expect(log.failures()).toEqual([]);
    for (const key of [OLD, NEW, WRONG]) expect(log.text()).not.toContain(key.slice("signkey-test-".length));
  });
});
