/** Starts the subject: the engine as `npm run dev` runs it, with an app on the official SDK. */
import { buildWorker, startEngine } from "../cli/engine.ts";
import { syncApp } from "../cli/sync.ts";
import { type Shape, serveApp } from "./app.ts";
import { type BareShape, serveBareApp } from "./bare-app.ts";
import { CLIENTS } from "./driver.ts";
import { client, type Post } from "./http.ts";
import { Ledger } from "./ledger.ts";
import type { Send, Subject } from "./subject.ts";

/** The engine and what only it can do. */
export interface Millrace extends Subject {
  readonly url: string;
  readonly post: Post;
  /** Like `send`, to the functions of the app that uses no SDK. */
  sendBare(shape: BareShape): Send;
  /** Like `send`, to the functions of the app that has checkpointing on. */
  sendCheckpointed(shape: Shape): Send;
}

/** The engine on state in `dir`, its app registered. */
export async function startMillrace(dir: string): Promise<Millrace> {
  const bundleDir = await buildWorker();
  const bindings = { MILLRACE_MODE: "dev" };
  const engine = await startEngine({ port: 0, persistDir: dir, bundleDir, quiet: true, bindings });
  const ledger = new Ledger();
  const app = await serveApp(engine.url, ledger);
  const http = client(engine.url, CLIENTS);
  const bare = await serveBareApp(engine.url, ledger);
  const close = async () => {
    http.close();
    await Promise.all([app.close(), bare.close()]);
    await engine.stop();
  };
  for (const url of Object.values(app.urls)) {
    const outcome = await syncApp(url);
    if (outcome.kind === "synced") continue;
    await close();
    throw new Error(`the engine did not register the app at ${url}: ${outcome.reason}`);
  }
  const sender =
    (name: string): Send =>
    (run) =>
      http.post("/e/bench", JSON.stringify({ name: `bench/${name}`, data: { run } }));
  return {
    ledger,
    url: engine.url,
    pid: () => engine.pid(),
    post: http.post,
    send: (shape) => sender(shape),
    sendBare: (shape) => sender(`${shape}-bare`),
    sendCheckpointed: (shape) => sender(`${shape}-checkpointed`),
    close,
  };
}
