/**
 * Row 17: changes of an app's code in the middle of a run, as data: the old code, the new one, and what becomes of the run (EX-61, EX-62).
 */
import type { Scenario } from "../../conformance/harness/scenario.ts";
import type { Handler, Steps } from "../../conformance/harness/sdk.ts";

/** A function's body. */
export type Code = Handler<Readonly<Record<string, unknown>>>;

/** A step that notes when it runs and answers its own name, and one that lasts until its signal comes. */
type Tools = (step: Steps) => {
  readonly run: (id: string) => Promise<string>;
  readonly nap: (name?: string) => Promise<null>;
};

/** The tools of a scenario. */
export function toolsOf({ mark, on }: Scenario): Tools {
  return (step) => ({
    nap: async (name = "nap") => {
      await step.waitForSignal("nap", { signal: on(name), timeout: "1h", onConflict: "fail" });
      return null;
    },
    run: (id) =>
      step.run(id, () => {
        mark(`<${id}>`);
        return id;
      }),
  });
}

/** A change of code, and what becomes of a run that has reached "nap". */
interface Change {
  readonly id: string;
  readonly title: string;
  readonly from: (tools: Tools) => Code;
  readonly to: (tools: Tools) => Code;
  readonly output: unknown;
  /** The old code sleeps, rather than that it waits to be woken. */
  readonly sleeps?: true;
  /** How often each step ran, both versions together. */
  readonly ran: Readonly<Record<string, number>>;
}

/** Every change. */
export const CHANGES: readonly Change[] = [
  {
    id: "renamed",
    title: "a step renamed before it was met runs under its new id (EX-62)",
    from:
      (tools) =>
      async ({ step }) => [await tools(step).run("A"), await tools(step).nap(), await tools(step).run("B")],
    to:
      (tools) =>
      async ({ step }) => [await tools(step).run("A"), await tools(step).nap(), await tools(step).run("B2")],
    output: ["A", null, "B2"],
    ran: { A: 1, B: 0, B2: 1 },
  },
  {
    id: "renamed-finished",
    title: "a finished step that is renamed runs again under its new id, and its old result stays unused (EX-62)",
    from:
      (tools) =>
      async ({ step }) => [await tools(step).run("A"), await tools(step).nap(), await tools(step).run("B")],
    to:
      (tools) =>
      async ({ step }) => [await tools(step).run("A2"), await tools(step).nap(), await tools(step).run("B")],
    output: ["A2", null, "B"],
    ran: { A: 1, A2: 1, B: 1 },
  },
  {
    id: "removed",
    title: "steps removed, finished or not, are not missed (EX-61, EX-62)",
    from:
      (tools) =>
      async ({ step }) => [
        await tools(step).run("A"),
        await tools(step).run("R"),
        await tools(step).nap(),
        await tools(step).run("B"),
        await tools(step).run("C"),
      ],
    to:
      (tools) =>
      async ({ step }) => [await tools(step).run("A"), await tools(step).nap(), await tools(step).run("C")],
    output: ["A", null, "C"],
    ran: { A: 1, R: 1, B: 0, C: 1 },
  },
  {
    id: "reordered",
    title: "steps in another order are not repeated (EX-62)",
    from:
      (tools) =>
      async ({ step }) => [
        await tools(step).run("A"),
        await tools(step).run("B"),
        await tools(step).nap(),
        await tools(step).run("C"),
        await tools(step).run("D"),
      ],
    to:
      (tools) =>
      async ({ step }) => [
        await tools(step).run("D"),
        await tools(step).run("B"),
        await tools(step).run("A"),
        await tools(step).nap(),
        await tools(step).run("C"),
      ],
    output: ["D", "B", "A", null, "C"],
    ran: { A: 1, B: 1, C: 1, D: 1 },
  },
  {
    id: "added",
    title: "steps added before and after the one that is waited for run when they are met (EX-61, EX-62)",
    from:
      (tools) =>
      async ({ step }) => [await tools(step).run("A"), await tools(step).nap(), await tools(step).run("B")],
    to:
      (tools) =>
      async ({ step }) => [
        await tools(step).run("Y"),
        await tools(step).run("A"),
        await tools(step).nap(),
        await tools(step).run("Z"),
        await tools(step).run("B"),
      ],
    output: ["Y", "A", null, "Z", "B"],
    ran: { A: 1, Y: 1, Z: 1, B: 1 },
  },
  {
    id: "awake",
    title: "a sleep that is taken out of the code while the run sleeps ends when it ends (EX-61, EX-37)",
    from:
      (tools) =>
      async ({ step }) => [await tools(step).run("A"), await doze(step), await tools(step).run("B")],
    to:
      (tools) =>
      async ({ step }) => [await tools(step).run("A"), await tools(step).run("B")],
    output: ["A", "B"],
    sleeps: true,
    ran: { A: 1, B: 1 },
  },
  {
    id: "longer",
    title: "a sleep that is made longer while the run sleeps ends as it was begun (EX-4, EX-37)",
    from:
      (tools) =>
      async ({ step }) => [await tools(step).run("A"), await doze(step), await tools(step).run("B")],
    to:
      (tools) =>
      async ({ step }) => [await tools(step).run("A"), await doze(step, "1h"), await tools(step).run("B")],
    output: ["A", null, "B"],
    sleeps: true,
    ran: { A: 1, B: 1 },
  },
  {
    id: "branched",
    title: "steps that become parallel run each once (EX-31, EX-61)",
    from:
      (tools) =>
      async ({ step }) => [await tools(step).run("A"), await tools(step).nap(), await tools(step).run("B")],
    to:
      (tools) =>
      async ({ step }) => [
        await tools(step).run("A"),
        await tools(step).nap(),
        ...(await Promise.all(["B", "C", "D"].map((id) => tools(step).run(id)))),
      ],
    output: ["A", null, "B", "C", "D"],
    ran: { A: 1, B: 1, C: 1, D: 1 },
  },
  {
    id: "another-kind",
    title: "an id that becomes another kind of step keeps its result (EX-4, EX-61)",
    from:
      (tools) =>
      async ({ step }) => [await tools(step).run("A"), await tools(step).nap(), await tools(step).run("B")],
    to:
      (tools) =>
      async ({ step }) => {
        await step.sleep("A", "1h");
        return [await step.run("nap", () => "never"), await tools(step).run("B")];
      },
    output: [{ data: null }, "B"],
    ran: { A: 1, B: 1 },
  },
];

/** A sleep, which ends by itself. */
async function doze(step: Steps, length = "8s"): Promise<null> {
  await step.sleep("nap", length);
  return null;
}
