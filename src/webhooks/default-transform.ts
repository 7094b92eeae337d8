/**
 * The transform a webhook begins with (EV-36). Owns its text, and how a webhook's name becomes part of the names of its events. Pure.
 */
import { slugOf } from "../environments/environment.ts";

/** The source for a webhook of this name. */
export function defaultTransform(name: string): string {
  return `function transform(evt, headers, queryParams, raw) {
  return {
    name: \`${prefixOf(name)}/\${evt.type || evt.name || evt.event_type || "webhook.received"}\`,
    data: evt.data || evt,
  };
}
`;
}

/** Names that begin with `inngest/` are the engine's own (EV-9): every delivery of such a webhook would fail. */
function prefixOf(name: string): string {
  const slug = slugOf(name, "webhook");
  return slug === "inngest" ? "inngest-webhook" : slug;
}
