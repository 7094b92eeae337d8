/**
 * The newer features of v4.
 */
import { conformance } from "../harness/cases.ts";
import { newer } from "./newer.ts";

conformance("newer features", newer);
