import { describe, expect, it } from "vitest";
import { checkServeUrl, withoutSecrets } from "../../../src/apps/url.ts";

const CLOUD = { allowPrivate: false, ownHost: null };
const DEV = { allowPrivate: true, ownHost: null };

describe("serve URLs", () => {
  it.each([
    ["https://app.example.com/api/inngest", "https://app.example.com/api/inngest"],
    ["https://app.example.com", "https://app.example.com/"],
    ["HTTPS://App.Example.COM:443/jobs", "https://app.example.com/jobs"],
    ["https://app.example.com/x?fnId=a&stepId=step&deployId=1", "https://app.example.com/x"],
    ["https://app.example.com/x?a=1&fnId=f&b=2", "https://app.example.com/x?a=1&b=2"],
    ["https://app.example.com/x?bypass=a%20b&z", "https://app.example.com/x?bypass=a%20b&z"],
    ["https://8.8.8.8/api/inngest", "https://8.8.8.8/api/inngest"],
  ])("AP-20: %s is stored as %s", (text, url) => {
    expect(checkServeUrl(text, CLOUD)).toEqual({ ok: true, url });
  });

  it.each([
    ["not a url", "config_invalid"],
    ["/api/inngest", "config_invalid"],
    ["https://user:hunter2@app.example.com/", "config_invalid"],
    ["https://hunter2@app.example.com/", "config_invalid"],
    ["https://app.example.com/#hunter2", "config_invalid"],
    ["http://app.example.com/?k=hunter2", "unsupported_protocol"],
    ["wss://app.example.com/hunter2", "unsupported_protocol"],
    ["https://localhost/hunter2", "private_address"],
    ["https://192.168.0.7/", "private_address"],
  ])("AP-20: %s is refused in cloud mode", (text, code) => {
    const checked = checkServeUrl(text, CLOUD);
    expect(checked).toMatchObject({ ok: false, code });
    expect(JSON.stringify(checked)).not.toContain("hunter2");
  });

  it.each(["http://localhost:3000/api/inngest", "http://app:3000/x", "https://10.0.0.1/x"])(
    "AP-20: %s is allowed where private apps are",
    (text) => {
      expect(checkServeUrl(text, DEV)).toEqual({ ok: true, url: text });
    },
  );

  it("a refused URL is kept without credentials, query and fragment", () => {
    expect(withoutSecrets("http://u:p@app.example.com:81/x?k=1#f")).toBe("http://app.example.com:81/x");
    expect(withoutSecrets("nonsense")).toBeNull();
    expect(withoutSecrets(null)).toBeNull();
  });
});
