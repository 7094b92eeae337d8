/**
 * Spans of apps with SDK v3. The middleware is made before anything is called: from here on this process traces its own requests.
 */
import { extendedTracesMiddleware } from "inngest-v3/experimental";
import { conformance } from "../harness/cases.ts";
import { spansOfApps } from "./userland.ts";

conformance("spans of apps", spansOfApps(extendedTracesMiddleware({ behaviour: "auto" }), ["v3", "v3-checkpointed"]));
