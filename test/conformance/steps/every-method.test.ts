/**
 * One app that uses every step method there is. The list is the SDKs' own: their declarations are read, and what the app really called
 * is recorded, so that a method a later version adds is missed here and nowhere else.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { experiment } from "inngest";
import { createDefer } from "inngest/experimental";
import { expect } from "vitest";
import { type Case, conformance } from "../harness/cases.ts";
import type { Scenario } from "../harness/scenario.ts";
import type { HandlerContext, SdkName, Steps } from "../harness/sdk.ts";
import { COMPLETION } from "./ai.ts";
import { withEcho } from "./echo.ts";
import { MODES } from "./modes.ts";
import { natives, newestClient } from "./v4.ts";

/** Not used here, and why. */
const LEFT_OUT = new Map([
  ["realtime.publish", "comes with realtime"],
  ["~span", "internal to the SDK: it groups the trace"],
]);

/** What only middleware adds to v4's step tools. */
const BY_MIDDLEWARE = ["metadata", "score"];

function declared(sdk: SdkName, file: string, from: string): string[] {
  const folder = sdk === "v3" ? "inngest-v3" : "inngest";
  const path = fileURLToPath(new URL(`../../../node_modules/${folder}/components/${file}`, import.meta.url));
  const text = readFileSync(path, "utf8");
  const begin = text.indexOf(from);
  const lines = text.slice(begin, text.indexOf("\n}", begin)).split("\n");
  const names: string[] = [];
  let group = "";
  for (const line of lines) {
    const [, indent, quoted, plain, rest] = /^( {2}| {4})(?:"([^"]+)"|(\w+)): (.*)$/.exec(line) ?? [];
    const name = quoted ?? plain;
    if (name === undefined) continue;
    // A member that is an object of methods opens a group; its own members follow with a deeper indent.
    if (indent === "  ") group = rest === "{" ? `${name}.` : "";
    if (rest === "{") continue;
    if (indent === "  ") names.push(name);
    else if (group !== "") names.push(`${group}${name}`);
  }
  return names;
}

/** The step methods an SDK declares, `ai.infer` and the like by their paths. */
function methodsOf(sdk: SdkName): string[] {
  const steps = declared(sdk, "InngestStepTools.d.ts", "declare const createStepTools");
  if (sdk === "v3") return steps;
  return [...steps, ...BY_MIDDLEWARE, ...declared(sdk, "InngestGroupTools.d.ts", "interface GroupTools {")];
}

/** Tools that note which of them were called. */
function noting<T extends object>(tools: T, used: Set<string>, path = ""): T {
  return new Proxy(tools, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof key !== "string") return value;
      if (typeof value === "function") {
        return (...input: readonly unknown[]): unknown => {
          used.add(path + key);
          return Reflect.apply(value, target, input);
        };
      }
      return typeof value === "object" && value !== null ? noting(value, used, `${path}${key}.`) : value;
    },
  });
}

/** What every method of both SDKs must have come to. */
const SHARED = {
  ran: "ran a",
  event: 7,
  signal: { ok: true },
  invoked: 16,
  fetched: "fetched",
  inferred: "hello",
  wrapped: "echo: one",
};

/** Calls every method both SDKs have. */
async function shared(step: Steps, scenario: Scenario, callee: object, url: string, key: string) {
  const { on } = scenario;
  const ran = await step.run("run", (what: string) => `ran ${what}`, "a");
  await step.sleep("sleep", "1s");
  await step.sleepUntil("sleepUntil", new Date(Date.now() + 1000));
  const [event] = await Promise.all([
    step.waitForEvent<{ n: number }>("waitForEvent", { event: on("answer"), match: "data.key", timeout: "20s" }),
    step.sendEvent("sendEvent", { name: on("answer"), data: { key, n: 7 } }),
  ]);
  const signal = on(`signal-${key}`);
  const [received] = await Promise.all([
    step.waitForSignal("waitForSignal", { signal, timeout: "20s", onConflict: "fail" }),
    step.sendSignal("sendSignal", { signal, data: { ok: true } }),
  ]);
  const invoked = await step.invoke("invoke", { function: callee, data: { number: 4 } });
  const response = await step.fetch(`${url}/fetched`);
  const model = step.ai.models.openai({ model: "m", apiKey: "k", baseUrl: `${url}/` });
  const completion = await step.ai.infer<typeof COMPLETION>("ai.infer", { model, body: { messages: [] } });
  const wrapped = await step.ai.wrap("ai.wrap", async (what: string) => `echo: ${what}`, "one");
  return {
    ran,
    event: event?.data.n,
    signal: received?.data,
    invoked,
    fetched: await response.text(),
    inferred: completion.choices[0]?.message.content,
    wrapped,
  };
}

interface Trigger {
  readonly url: string;
  readonly key: string;
}

async function withV3(scenario: Scenario, used: Set<string>): Promise<void> {
  const { app, fn, on } = scenario;
  const callee = fn<{ number: number }>("callee", on("never"), ({ event }) => event.data.number ** 2);
  const every = fn<Trigger>("every", on("x"), ({ event: { data }, step }) =>
    shared(noting(step, used), scenario, callee.native, data.url, data.key),
  );
  await app([callee, every]);
}

async function withV4(scenario: Scenario, used: Set<string>): Promise<void> {
  const { app, fn, on, mark } = scenario;
  const { client, inngest } = newestClient(scenario);
  const callee = fn<{ number: number }>("callee", on("never"), ({ event }) => event.data.number ** 2, client);
  const deferred = createDefer(inngest, { id: "deferred" }, ({ event }) => mark(`deferred:${event.data["n"]}`));
  const every = inngest.createFunction({ id: "every", triggers: [{ event: on("x") }] }, async (context) => {
    const step = noting(context.step, used);
    const group = noting(context.group, used);
    context.defer("defer", { function: deferred, data: { n: 1 } });
    // The scenario's steps are the part of these that both SDKs have.
    const tools = step as unknown as HandlerContext<Trigger>["step"];
    const { url, key } = context.event.data as unknown as Trigger;
    const results = await shared(tools, scenario, callee.native, url, key);
    const race = await group.parallel({ mode: "race" }, () =>
      Promise.race([step.run("fast", () => "fast"), step.sleep("slow", "2s").then(() => "slow")]),
    );
    const { result, variant } = await group.experiment("experiment", {
      variants: { a: () => step.run("variant a", () => "A"), b: () => step.run("variant b", () => "B") },
      select: experiment.fixed("b"),
    });
    await step.metadata("metadata").run().set({ plan: "pro" });
    await step.score("score", { name: "quality", value: 1 });
    return { ...results, race, result, variant };
  });
  await app([callee, ...natives(deferred, every)], { client });
}

const every: Case = {
  id: "EVERY",
  title: "Every step method",
  proves: ["EX-37", "EX-41", "EX-48", "EX-50", "EX-56", "EX-57", "EX-59", "EX-60", "EX-71", "EX-72"],
  sdks: MODES,
  async run(scenario) {
    const { on, sdk, send, finished, until, marks } = scenario;
    const used = new Set<string>();
    await (sdk.name === "v3" ? withV3(scenario, used) : withV4(scenario, used));
    const isAi = (path: string) => path.endsWith("/chat/completions");
    await withEcho(
      ({ url }) => (isAi(url.pathname) ? { json: COMPLETION } : {}),
      async ({ origin: url }) => {
        const ids = await send(["a", "b", "c"].map((key) => ({ name: on("x"), data: { url, key } })));
        const newest = { race: "fast", result: "B", variant: "b" };
        for (const id of ids) {
          expect(await finished(id)).toMatchObject({
            status: "Completed",
            output: sdk.name === "v3" ? SHARED : { ...SHARED, ...newest },
          });
        }
        if (sdk.name === "v4") await until(() => marks("deferred:1").length === 3);
        const methods = methodsOf(sdk.name);
        expect(methods.length).toBeGreaterThanOrEqual(12);
        const missed = methods.filter((name) => !used.has(name) && !LEFT_OUT.has(name));
        expect(missed).toEqual([]);
      },
    );
  },
};

conformance("every step method", [every]);
