/**
 * Environments of one deployment through the official SDKs: isolation, branches, custom environments and their keys (EV-18 … EV-26, SE-8).
 */
import { conformance } from "../harness/cases.ts";
import { branches } from "./branches.ts";
import { customs } from "./custom.ts";
import { everything } from "./everything.ts";
import { isolation } from "./isolation.ts";
import { keys } from "./keys.ts";
import { realtime } from "./realtime.ts";
import { rotation } from "./rotation.ts";
import { DEPLOYMENT } from "./world.ts";

conformance("Environments", [...isolation, ...everything, ...customs, ...branches, ...keys, ...realtime, ...rotation], {
  bindings: DEPLOYMENT,
});
