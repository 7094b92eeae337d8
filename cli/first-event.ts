/**
 * Gives somebody who starts the server for the first time something to look at: one sign-up for the quickstart app.
 */
import * as z from "zod";

const eventsSchema = z.object({ data: z.array(z.unknown()) });

/** Sends the event when the engine has seen none yet; answers whether it did. Throws when the engine does not answer as it should. */
export async function sendFirstEvent(engineUrl: string): Promise<boolean> {
  const history = await fetch(`${engineUrl}/v1/events?limit=1`);
  if (eventsSchema.parse(await history.json()).data.length > 0) return false;
  const response = await fetch(`${engineUrl}/e/dev`, {
    method: "POST",
    body: JSON.stringify({ name: "quickstart/user.signup", data: { email: "ada@example.com" } }),
  });
  if (!response.ok) throw new Error(`the first event was refused: ${response.status} ${await response.text()}`);
  return true;
}
