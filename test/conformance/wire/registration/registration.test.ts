/**
 * Registration over raw HTTP in dev mode: what changes, what is refused, and who asks whom.
 */
import "./changes.ts";
import "./refused.ts";
import "./syncs.ts";
