/** The function: packs an order, asks a person whether it may leave, and tells the page about every turn. */
import { randomUUID } from "node:crypto";
import { ConsoleLogger, eventType, Inngest, staticSchema } from "inngest";
import { channel } from "inngest/realtime";

// Without this variable the SDK would look for Inngest's cloud.
process.env["INNGEST_DEV"] ??= "http://localhost:8288";

export const inngest = new Inngest({ id: "realtime", logger: new ConsoleLogger({ level: "silent" }) });

/** One channel for each order, so that a token for one of them shows nothing of the others. */
export const orderChannel = channel({
  name: (orderId: string) => `order:${orderId}`,
  topics: {
    progress: { schema: staticSchema<{ text: string; done: number; of: number }>() },
    approval: { schema: staticSchema<{ approvalId: string; question: string }>() },
    result: { schema: staticSchema<{ shipped: boolean; text: string }>() },
  },
});

export const placed = eventType("realtime/order.placed", { schema: staticSchema<{ orderId: string }>() });
export const reviewed = eventType("realtime/order.reviewed", {
  schema: staticSchema<{ approvalId: string; approved: boolean }>(),
});

const ITEMS = ["teapot", "two cups", "a pound of tea"];

const ship = inngest.createFunction({ id: "ship-order", triggers: [placed] }, async ({ event, step }) => {
  const room = orderChannel(event.data.orderId);

  for (const [i, item] of ITEMS.entries()) {
    await step.run(`pack ${item}`, () => console.log(`order ${event.data.orderId}: packing ${item}`));
    await step.realtime.publish(`packed ${item}`, room.progress, { text: item, done: i + 1, of: ITEMS.length });
    await step.sleep(`after ${item}`, "400ms");
  }

  // Only who has heard this id can answer, and only once: the run waits for exactly this one.
  const approvalId = await step.run("approval id", () => randomUUID());
  const question = `Send ${ITEMS.length} items?`;
  await step.realtime.publish("ask", room.approval, { approvalId, question });
  const answer = await step.waitForEvent("answer", {
    event: reviewed,
    timeout: "10m",
    if: `async.data.approvalId == "${approvalId}"`,
  });

  const shipped = answer?.data.approved === true;
  const text = answer === null ? "nobody answered" : shipped ? "on its way" : "put back on the shelf";
  await step.realtime.publish("result", room.result, { shipped, text });
  return { shipped, text };
});

export const functions = [ship];
