/**
 * Every number the engine enforces, with its unit and the reason it is what it is (spec/00 "Limits"), by subject in `limits/`.
 * No other file holds a literal limit. Those an operator may change are defaults here and are read through `settings.ts`.
 */
export * from "./limits/call.ts";
export * from "./limits/deletion.ts";
export * from "./limits/endpoint.ts";
export * from "./limits/event.ts";
export * from "./limits/expression.ts";
export * from "./limits/flow.ts";
export * from "./limits/history.ts";
export * from "./limits/insights.ts";
export * from "./limits/keys.ts";
export * from "./limits/mcp.ts";
export * from "./limits/metrics.ts";
export * from "./limits/operation.ts";
export * from "./limits/pause.ts";
export * from "./limits/realtime.ts";
export * from "./limits/registration.ts";
export * from "./limits/replay.ts";
export * from "./limits/request.ts";
export * from "./limits/run.ts";
export * from "./limits/schedule.ts";
export * from "./limits/search.ts";
export * from "./limits/sweep.ts";
export * from "./limits/trace.ts";
export * from "./limits/webhook.ts";
