/**
 * The Event API over raw HTTP: what is refused leaves nothing behind, what is accepted acts exactly once.
 */
import "./refused.ts";
import "./accepted.ts";
import "./ids.ts";
