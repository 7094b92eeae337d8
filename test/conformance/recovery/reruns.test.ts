/**
 * Single runs that are run again.
 */
import { conformance } from "../harness/cases.ts";
import { editedInput } from "./edited-input.ts";
import { reruns } from "./reruns.ts";

conformance("reruns", [...reruns, ...editedInput]);
