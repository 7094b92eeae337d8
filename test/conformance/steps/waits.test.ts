/**
 * Steps that wait for somebody else: for events and for signals.
 */
import { conformance } from "../harness/cases.ts";
import { eventWaits } from "./event-waits.ts";
import { signals } from "./signals.ts";

conformance("waits", [...eventWaits, ...signals]);
