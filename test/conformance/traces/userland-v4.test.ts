/**
 * Spans of apps with SDK v4. The middleware is made before anything is called: from here on this process traces its own requests.
 */
import { extendedTracesMiddleware } from "inngest/experimental";
import { conformance } from "../harness/cases.ts";
import { spansOfApps } from "./userland.ts";

conformance("spans of apps", spansOfApps(extendedTracesMiddleware({ behaviour: "auto" }), ["v4", "v4-checkpointed"]));
