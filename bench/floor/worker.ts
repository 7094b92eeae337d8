/**
 * The floor: one object per event, one row when it arrives, one row per reply of the app, one alarm. No protocol, no signatures,
 * no history, no retries. What it reaches is what the runtime can do at best for this shape of work; it is no engine.
 */
import { DurableObject } from "cloudflare:workers";

interface Env {
  readonly RUN: DurableObjectNamespace<Run>;
}

/** Far enough away never to fire during a measurement: only the cost of setting it matters. */
const WATCHDOG = 60_000;

export class Run extends DurableObject<Env> {
  start(app: string, event: string, calls: number): void {
    const { storage } = this.ctx;
    storage.sql.exec("CREATE TABLE log (position INTEGER PRIMARY KEY, body TEXT NOT NULL)");
    storage.sql.exec("INSERT INTO log VALUES (0, ?)", event);
    void storage.setAlarm(Date.now() + WATCHDOG);
    void this.work(app, event, calls);
  }

  private async work(app: string, event: string, calls: number): Promise<void> {
    for (let call = 1; call <= calls; call++) {
      const reply = await fetch(`${app}?call=${call}&of=${calls}`, { method: "POST", body: event });
      this.ctx.storage.sql.exec("INSERT INTO log VALUES (?, ?)", call, await reply.text());
    }
  }

  override alarm(): void {}
}

export default {
  /** `POST /?app=<url>&calls=<n>` with an event as body starts a run and answers once the run is durable. */
  async fetch(request, env) {
    const url = new URL(request.url);
    const run = env.RUN.get(env.RUN.newUniqueId());
    await run.start(url.searchParams.get("app") ?? "", await request.text(), Number(url.searchParams.get("calls")));
    return Response.json({ status: 200 });
  },
} satisfies ExportedHandler<Env>;
