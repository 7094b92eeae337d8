/**
 * Cloud mode: what is signed, who is let in, how keys are rotated, and what strangers learn.
 */
import "./access.ts";
import "./calls.ts";
import "./registration.ts";
