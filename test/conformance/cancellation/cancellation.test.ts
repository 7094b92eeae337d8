/**
 * How a run is stopped: by events, by time, by request.
 */
import { conformance } from "../harness/cases.ts";
import { byRest } from "./by-rest.ts";
import { cancelOn } from "./cancel-on.ts";
import { checkpoints } from "./checkpoints.ts";
import { timeouts } from "./time-outs.ts";

conformance("cancellation", [...cancelOn, ...timeouts, ...byRest, ...checkpoints]);
