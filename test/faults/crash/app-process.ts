/**
 * Starts and ends the process of the apps, and passes on what it says. Guarantees that the process does not outlive its starter.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import * as z from "zod";

const messageSchema = z.discriminatedUnion("is", [
  z.object({ is: z.literal("ready") }),
  /** The run of this key waits for its event. */
  z.object({ is: z.literal("armed"), key: z.string() }),
  /** The run of this key sleeps. */
  z.object({ is: z.literal("asleep"), key: z.string(), run: z.string() }),
]);

/** What the apps tell of their runs. */
export type Message = z.infer<typeof messageSchema>;

/** Starts the apps against an engine. Resolves when both are synced; `onMessage` hears what they tell. */
export async function startApps(
  engineUrl: string,
  notesPath: string,
  onMessage: (message: Message) => void,
): Promise<{ stop(): Promise<void> }> {
  const child = fork(join(import.meta.dirname, "app.ts"), [engineUrl, notesPath], {
    execArgv: ["--no-warnings"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = once(child, "exit");
  await new Promise<void>((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code) => fail(new Error(`The apps ended with code ${code} before they were ready`)));
    child.on("message", (message) => {
      const said = messageSchema.parse(message);
      if (said.is === "ready") done();
      onMessage(said);
    });
  });
  return {
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
