/**
 * Many runs that are run again, and what limits them.
 */
import { conformance } from "../harness/cases.ts";
import { counted } from "./counted.ts";
import { replays } from "./replays.ts";

conformance("replays", [...replays, ...counted]);
