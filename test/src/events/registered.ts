/**
 * Functions and events of tests about flow control.
 */
import type { FunctionConfiguration, RegisteredFunction } from "../../../src/apps/function.ts";
import type { AcceptedEvent } from "../../../src/events/event.ts";
import type { JsonObject } from "../../../src/json.ts";
import { configurationWith } from "../apps/configuration.ts";

/** 2026-11-21, ms since 1970. */
export const NOW = Date.UTC(2026, 10, 21);

/** A function with these options and no others. */
export function fn(options: Partial<FunctionConfiguration> = {}): RegisteredFunction {
  return {
    id: "uuid-of-one",
    slug: "shop-one",
    name: "one",
    version: 2,
    app: { id: "app-uuid", name: "shop" },
    archived: false,
    paused: null,
    resumed: null,
    configuration: configurationWith(options),
  };
}

/** An event as it was accepted at {@link NOW}. */
export function accepted(data: JsonObject = {}, ts = NOW): AcceptedEvent {
  const internalId = "01HF7YAT00000G40R40M30E20A";
  return {
    internalId,
    receivedAt: NOW,
    source: "test",
    deduplicationId: null,
    payload: { name: "app/a", data, id: internalId, ts, user: {} },
  };
}
