/**
 * Rows 14 and 15 of the fault matrix: replies that are malformed, and statuses that tell of trouble. One engine.
 */
import { MALFORMED } from "./malformed.ts";
import { mutantTest } from "./mutants.ts";
import { STATUSES } from "./statuses.ts";
import { hostileTable } from "./table.ts";

hostileTable("hostile replies", [...MALFORMED, ...STATUSES], { also: mutantTest });
