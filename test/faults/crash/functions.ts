/**
 * The functions of the two apps. Every feature of the engine is used by one of them; bodies are short, so that a campaign kills the engine
 * in all of their moments.
 */
import { type Client, SDKS, type SdkFunction } from "../../conformance/harness/sdk.ts";
import type { openNotes } from "./notes.ts";
import { APPS, LIMITS, PAUSE } from "./plan.ts";
import { type Context, type Load, Trace } from "./trace.ts";

/** What the functions need of their process. */
export interface Host {
  readonly note: ReturnType<typeof openNotes>;
  /** The run of this key waits for its event from now on. */
  readonly armed: (key: string) => void;
  /** The run of this key sleeps now, or will in an instant. */
  readonly asleep: (key: string, run: string) => void;
}

const MATCH = "async.data.key == event.data.key";
const SHARED = { limit: LIMITS.shared, scope: "account", key: '"crash-shared"' };

/** The functions of one app. */
export function functionsOf(client: Client, { note, armed, asleep }: Host): SdkFunction[] {
  const fn = (
    id: string,
    work: (trace: Trace, context: Context) => unknown,
    options: object = {},
    trigger: object = { event: `crash/${id}` },
  ) =>
    client.fn<Load>({ id, retries: 10, ...options }, [trigger as { event: string }], async (context) => {
      const trace = new Trace(note, id, context);
      await work(trace, context);
      return trace.output();
    });

  const sequence = async (trace: Trace) => {
    for (const step of ["a", "b", "c"]) await trace.run(step, 30);
  };
  const fan = async (trace: Trace) => {
    await Promise.all(["a", "b", "c", "d"].map((step, n) => trace.run(step, 20 + 30 * n)));
    await trace.run("join", 10);
  };
  const pause = async (trace: Trace, { step }: Context) => {
    await trace.run("before", 10);
    // A whole number of seconds: SDKs drop the rest.
    await step.sleep("sleep", `${PAUSE}s`);
    await trace.run("after", 10);
  };
  /** The wait is registered before the step beside it is executed: an event sent from then on cannot be missed. */
  const wait = async (trace: Trace, { step, event }: Context) => {
    const [found] = await Promise.all([
      step.waitForEvent<Load>("wait", { event: "crash/go", if: MATCH, timeout: "1h" }),
      step.run("armed", () => armed(event.data.key)),
    ]);
    trace.saw("wait", found?.data.key ?? "timed out");
    const nothing = await step.waitForEvent<Load>("never", { event: "crash/never", if: MATCH, timeout: `${PAUSE}s` });
    trace.saw("never", nothing?.data.key ?? "timed out");
    await trace.run("after", 10);
  };
  const endless = async (trace: Trace, { step, event, runId }: Context) => {
    await trace.run("a", 20);
    asleep(event.data.key, runId);
    await step.sleep("forever", "1h");
  };
  const holding =
    (names: (load: Load) => string[]) =>
    async (trace: Trace, { event }: Context) => {
      for (const step of ["a", "b"]) await trace.run(step, 60, { holds: names(event.data) });
    };
  const short = async (trace: Trace) => {
    await trace.run("a", 20);
  };

  if (client.sdk === "v3") {
    return [
      fn("plain", sequence),
      fn("branches", fan),
      fn("dozer", pause),
      fn("awaits", wait),
      client.fn<Load>(
        {
          id: "fails",
          retries: 0,
          onFailure: async (context) => {
            return new Trace(note, "fails-failure", context as unknown as Context).output();
          },
        },
        [{ event: "crash/fails" }],
        async (context) => {
          await new Trace(note, "fails", context).run("a", 20);
          throw new SDKS.v3.NonRetriableError("as planned");
        },
      ),
      fn("child", short),
      fn("receiver", short),
      fn("stoppable", endless),
      fn(
        "keyed",
        holding(({ k }) => ["shared", `keyed ${k}`]),
        {
          concurrency: [SHARED, { limit: 1, key: "event.data.k" }],
        },
      ),
      fn("batched", short, { batchEvents: { maxSize: LIMITS.batch.maxSize, timeout: `${LIMITS.batch.timeout}s` } }),
      fn("replacing", pause, { singleton: { key: "event.data.k", mode: "cancel" } }),
    ];
  }
  return [
    fn("steps", sequence),
    fn("parallel", fan),
    fn("sleeper", pause),
    fn("waits", wait),
    fn("retried", async (trace, { attempt }) => {
      await trace.run("a", 10);
      await trace.run("b", 10, { broken: attempt === 0 });
    }),
    fn("parent", async (trace, { step, event }) => {
      await trace.run("a", 10);
      const reference = SDKS.v4.referenceFunction({ appId: APPS.v3, functionId: "child" });
      const output = await step.invoke<string>("child", {
        function: reference,
        data: { key: `${event.data.key}-child` },
      });
      trace.saw("child", output);
    }),
    fn("sender", async (trace, { step, event }) => {
      await trace.run("a", 10);
      const key = `${event.data.key}-sent`;
      await step.sendEvent("send", { name: "crash/receiver", id: key, data: { key } });
      await trace.run("b", 10);
    }),
    fn("cancellable", endless, { cancelOn: [{ event: "crash/cancel", if: MATCH }] }),
    fn(
      "limited",
      holding(() => ["limited"]),
      { concurrency: LIMITS.limited },
    ),
    fn(
      "shared",
      holding(() => ["shared"]),
      { concurrency: [SHARED] },
    ),
    fn("throttled", short, { throttle: { limit: LIMITS.throttle.limit, period: `${LIMITS.throttle.period}s` } }),
    fn("debounced", short, { debounce: { key: "event.data.k", period: `${LIMITS.debounce}s` } }),
    fn("rated", short, {
      rateLimit: { key: "event.data.k", limit: LIMITS.rate.limit, period: `${LIMITS.rate.period}s` },
    }),
    fn("single", pause, { singleton: { key: "event.data.k", mode: "skip" } }),
    fn("pausable", pause),
    fn("burst", short),
    fn("ticks", short, {}, { cron: "* * * * *" }),
  ];
}
