/**
 * Functions that invoke functions.
 */
import { conformance } from "../harness/cases.ts";
import { invocations } from "./invoke.ts";

conformance("invoke", invocations);
