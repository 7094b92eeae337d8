/**
 * What only SDK v4 has: its own client, typed as its authors meant it, so that scenarios can use everything on it.
 */
import { Inngest } from "inngest";
import { metadataMiddleware, scoreMiddleware } from "inngest/experimental";
import type { Scenario } from "../harness/scenario.ts";
import type { Client, SdkFunction } from "../harness/sdk.ts";

/** v4's client with the tools that are switched on by middleware. */
export type NewestInngest = Inngest<{
  id: string;
  middleware: [ReturnType<typeof metadataMiddleware>, ReturnType<typeof scoreMiddleware>];
}>;

/** A client of the scenario's app, as the harness and as the SDK know it. */
export interface NewestClient {
  readonly client: Client;
  readonly inngest: NewestInngest;
}

/** A client of the scenario's app with every experimental tool. Throws for v3. */
export function newestClient(scenario: Scenario): NewestClient {
  const client = scenario.newClient({ middleware: [metadataMiddleware(), scoreMiddleware()] });
  if (!(client.native instanceof Inngest)) throw new Error(`A client of v4 is needed, not of ${client.sdk}`);
  // The middleware given above is what the type says.
  return { client, inngest: client.native as unknown as NewestInngest };
}

/** Functions made with v4's own client, to be served by the harness. */
export function natives(...functions: readonly object[]): SdkFunction[] {
  return functions.map((native) => ({ sdk: "v4", native }));
}
