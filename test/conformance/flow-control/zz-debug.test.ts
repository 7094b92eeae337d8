import { type Case, conformance } from "../harness/cases.ts";
import { counting } from "./counting.ts";
import { order } from "./order.ts";
import { waiting } from "./waiting.ts";

const watcher: Case = {
  id: "WATCH",
  title: "w",
  proves: [],
  sdks: ["v4"],
  async run({ api, pause }) {
    const seen = new Set<string>();
    const began = Date.now();
    let slowest = 0;
    for (let n = 0; n < 400 && Date.now() - began < 45_000; n++) {
      const t = performance.now();
      const { json } = await api("GET", "/v1/runs?status=Running,Scheduled&limit=100");
      slowest = Math.max(slowest, performance.now() - t);
      for (const run of (json as any)?.data ?? []) {
        const why = (await api("GET", `/v1/runs/${run.run_id}/why`)).json as any;
        for (const c of why?.data ?? []) {
          const text = `${c.cause} ${JSON.stringify(c.error ?? null)}`;
          if (c.cause === "retry" && !seen.has(run.run_id)) {
            seen.add(run.run_id);
            console.log("DBG", Date.now() - began, run.function_slug, text.slice(0, 300));
          }
        }
      }
      await pause(50);
    }
    console.log("DBG slowest", slowest);
  },
};
conformance("concurrency", [watcher, ...counting, ...order, ...waiting], {
  onLine: (line) => console.log("LINE", JSON.stringify(line)),
});
