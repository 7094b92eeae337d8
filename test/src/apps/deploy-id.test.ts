import { expect, it } from "vitest";
import { deployIdFor, parseDeployId } from "../../../src/apps/deploy-id.ts";

const ULID = "01JD0000000000000000000000";

it("AP-5: the engine recognises the syncs it started", () => {
  for (const origin of ["dashboard", "cli", "rest", "poll"] as const) {
    expect(parseDeployId(deployIdFor(origin, ULID))).toEqual({ origin, syncId: ULID });
  }
});

it.each([
  undefined,
  "",
  "dep-1",
  ULID,
  `app-${ULID}`,
  `connect-${ULID}`,
  "rest-1",
  `rest-${ULID}x`,
  `rest-${ULID.toLowerCase()}`,
])("a deployId of somebody else is none: %s", (text) => {
  expect(parseDeployId(text)).toBeNull();
});
