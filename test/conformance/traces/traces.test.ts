/**
 * Traces of runs through the official SDKs, asked for over GraphQL and REST.
 */
import { conformance } from "../harness/cases.ts";
import { kinds } from "./kinds.ts";

conformance("traces", kinds);
