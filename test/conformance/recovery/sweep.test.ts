/**
 * The minute's sweep on a real engine: what it costs while nothing is overdue and nothing is past its retention, and that it disturbs nobody.
 */
import { expect } from "vitest";
import * as z from "zod";
import { type Case, conformance } from "../harness/cases.ts";

const writtenSchema = z.object({ alarms: z.number(), rowsWritten: z.number(), d1RowsWritten: z.number() });
const readSchema = z.object({ d1RowsRead: z.number() });

const sweep: readonly Case[] = [
  {
    id: "OB-24",
    title: "a sweep leaves runs that end and runs that sleep alone, and writes nothing",
    proves: ["OB-24", "I4"],
    sdks: ["v4"],
    alone: true,
    async run({ app, fn, on, trigger, engine, api, finished, until, pause }) {
      await app([
        fn("short", on("short"), () => "done"),
        fn("sleeper", on("long"), async ({ step }) => {
          await step.sleep("s", "1h");
        }),
      ]);
      const [short, long] = [await trigger(on("short")), await trigger(on("long"))];
      const ended = await finished(short);
      const [sleeping] = await until(async () => {
        const runs = await engine.runsOf(long);
        const { json } = await api("GET", "/v1/runs?limit=10");
        const listed = z.object({ data: z.array(z.unknown()) }).parse(json).data.length;
        return listed === 2 && runs[0]?.status === "Running" ? runs : null;
      });
      // What the first sweep does once: it looks at the catalog.
      await engine.sweep();
      await pause(1500);
      const before = (await api("GET", "/dev/counts")).json;
      for (let i = 0; i < 3; i++) await engine.sweep();
      const after = (await api("GET", "/dev/counts")).json;
      expect(writtenSchema.parse(after)).toEqual(writtenSchema.parse(before));
      expect(readSchema.parse(after).d1RowsRead).toBeGreaterThan(readSchema.parse(before).d1RowsRead);
      expect((await engine.run(ended.run_id)).output).toBe("done");
      expect((await engine.run(sleeping?.run_id ?? "")).status).toBe("Running");
    },
  },
];

conformance("the sweep", sweep);
