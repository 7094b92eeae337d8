/**
 * Concurrency limits through both SDKs (FC-1 … FC-12, FC-29, FC-31).
 */
import { conformance } from "../harness/cases.ts";
import { counting } from "./counting.ts";
import { order } from "./order.ts";
import { waiting } from "./waiting.ts";

conformance("concurrency", [...counting, ...order, ...waiting]);
