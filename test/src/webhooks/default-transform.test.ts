import { describe, expect, it } from "vitest";
import { defaultTransform } from "../../../src/webhooks/default-transform.ts";

describe("EV-36: the default transform", () => {
  it.each([
    ["AcmeApp", "acmeapp"],
    ["Stripe (live)", "stripe-live"],
    ["  ", "webhook"],
    [`\`\${evil}\`\n`, "evil"],
    ["Inngest", "inngest-webhook"],
  ])("of %j names events %s/…", (name, prefix) => {
    expect(defaultTransform(name)).toContain(`name: \`${prefix}/\${`);
  });
});
