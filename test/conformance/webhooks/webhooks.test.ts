/**
 * Webhooks of a deployment in cloud mode, and functions of the official SDKs that their events start (EV-28 … EV-36, SE-16).
 */
import { DEPLOYMENT } from "../environments/world.ts";
import { conformance } from "../harness/cases.ts";
import { failures } from "./failures.ts";
import { providers } from "./providers.ts";

conformance("Webhooks", [...providers, ...failures], { bindings: DEPLOYMENT });
