/**
 * The apps of a campaign, a process of its own: it outlives every kill of the engine, as a user's app does. Started by `app-process.ts`;
 * ends when its parent does.
 */
import { serveApp } from "../../conformance/harness/app.ts";
import { SDKS } from "../../conformance/harness/sdk.ts";
import { functionsOf } from "./functions.ts";
import { openNotes } from "./notes.ts";
import { APPS } from "./plan.ts";

const [engine = "", path = ""] = process.argv.slice(2);
const tell = (message: object): void => void process.send?.(message);
const host = {
  note: openNotes(path),
  armed: (key: string) => tell({ is: "armed", key }),
  asleep: (key: string, run: string) => tell({ is: "asleep", key, run }),
};

process.once("disconnect", () => process.exit(0));
for (const sdk of ["v3", "v4"] as const) {
  const client = SDKS[sdk].client({ id: APPS[sdk], engine, mode: "dev", checkpointing: sdk === "v4" });
  await serveApp(client, functionsOf(client, host));
}
tell({ is: "ready" });
