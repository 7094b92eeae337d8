/**
 * What providers send and functions get: transforms, content types, signatures, the default transform (EV-29 … EV-33, EV-36).
 */
import { createHmac } from "node:crypto";
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import { post, webhook } from "./world.ts";

const sign = (raw: string) => createHmac("sha256", "whsec").update(raw).digest("hex");

/** The scenarios. */
export const providers: readonly Case[] = [
  {
    id: "SC-23",
    title: "Transforms of three providers; what is delivered twice runs once",
    proves: ["EV-15", "EV-28", "EV-29", "EV-30"],
    async run({ engine, appId, app, fn, on, finished, mark, names }) {
      const github = await webhook(
        engine,
        "GitHub",
        `function transform(evt, headers = {}, queryParams = {}) {
          const name = headers["X-Github-Event"];
          return { data: evt, name: "${appId}/github." + name.trim().replace("Event", "").toLowerCase() };
        }`,
      );
      const stripe = await webhook(
        engine,
        "Stripe",
        `function transform(evt) { return { id: evt.id, name: \`${appId}/stripe/\${evt.type}\`, data: evt }; }`,
      );
      const intercom = await webhook(
        engine,
        "Intercom",
        `function transform(evt) { return { name: \`${appId}/intercom/\${evt.topic}\`, data: evt.data, ts: evt.created_at * 1000 }; }`,
      );
      await app([fn("charge", on("stripe/charge.failed"), ({ event }) => mark(`charged ${event.id}`))]);
      const issue = await post(github.url, { action: "opened" }, { "x-github-event": "IssuesEvent" });
      const charge = { id: `evt_1 of ${appId}`, type: "charge.failed" };
      const [first, second] = [await post(stripe.url, charge), await post(stripe.url, charge)];
      const company = { topic: "company.updated", created_at: 1_760_000_000, data: { n: 1 } };
      const updated = await post(intercom.url, company);
      const event = async ({ ids: [id = ""] }: { ids: string[] }) => await engine.event(id);
      expect(await event(issue)).toMatchObject({
        name: on("github.issues"),
        data: { action: "opened" },
        source: "webhook: GitHub",
      });
      expect(await event(first)).toMatchObject({ name: on("stripe/charge.failed"), id: charge.id, duplicate: false });
      expect(await event(second)).toMatchObject({ name: on("stripe/charge.failed"), duplicate: true });
      expect(await finished(first.ids[0] ?? "")).toMatchObject({ status: "Completed" });
      expect(await engine.runsOf(second.ids[0] ?? "")).toEqual([]);
      expect(names("")).toEqual([`charged ${charge.id}`]);
      const { ts, ...rest } = await event(updated);
      expect(rest).toMatchObject({ name: on("intercom/company.updated"), data: { n: 1 } });
      expect([1_760_000_000_000, new Date(1_760_000_000_000).toISOString()]).toContain(ts);
    },
  },
  {
    id: "SC-25",
    title: "A function verifies the provider's signature; a forged delivery fails with one attempt",
    proves: ["EV-33", "EX-22"],
    async run({ engine, sdk, app, fn, on, appId, finished, mark, names }) {
      const charge = fn("charge", on("stripe/charge.updated"), ({ event, attempt }) => {
        const { raw, sig } = event.data as { raw: string; sig: string };
        mark(`${sig === "forged" ? "forged" : "signed"} ${attempt}`);
        if (sign(raw) !== sig) throw new sdk.NonRetriableError("failed signature verification");
        return JSON.parse(raw).amount;
      });
      await app([charge]);
      const { url } = await webhook(
        engine,
        "S",
        `function transform(evt, headers, q, raw) { return { name: \`${appId}/stripe/\${evt.type}\`, data: { raw, sig: headers["Stripe-Signature"] } }; }`,
      );
      const raw = '{ "type": "charge.updated",  "amount": 7, "currency": "€" }\r\n';
      const deliver = async (sig: string) => (await post(url, raw, { "stripe-signature": sig })).ids[0] ?? "";
      expect(await finished(await deliver(sign(raw)))).toMatchObject({ status: "Completed", output: 7 });
      expect(await finished(await deliver("forged"))).toMatchObject({ status: "Failed" });
      expect(names("")).toEqual(["signed 0", "forged 0"]);
    },
  },
  {
    id: "EV-31",
    title: "Forms in both encodings, JSON, and a body that is neither",
    proves: ["EV-31"],
    sdks: ["v4"],
    async run({ engine, on }) {
      const { url } = await webhook(
        engine,
        "forms",
        `(json, headers, query, raw) => ({ name: "${on("hi")}", data: { json, raw } })`,
      );
      const dataOf = async (body: unknown, headers: Record<string, string> = {}) =>
        (await engine.event((await post(url, body, headers)).ids[0] ?? "")).data;
      const json = { messages: ["hello", "world"], name: ["Alice"] };
      const raw = "name=Alice&messages=hello&messages=world";
      expect(await dataOf(new URLSearchParams(raw))).toEqual({ json, raw });
      const form = new FormData();
      for (const [name, value] of new URLSearchParams(raw)) form.append(name, value);
      expect(await dataOf(form)).toEqual({ json, raw: expect.stringContaining('name="messages"') });
      expect(await dataOf('{"a":1}')).toEqual({ json: { a: 1 }, raw: '{"a":1}' });
      expect(await dataOf("<a/>", { "content-type": "text/xml" })).toEqual({ json: null, raw: "<a/>" });
      form.append("upload", new File(["x"], "x.txt"));
      expect(await post(url, form)).toMatchObject({ httpStatus: 400, code: "body_invalid", ids: [] });
    },
  },
  {
    id: "EV-36",
    title: "The default transform names events after the webhook and their type",
    proves: ["EV-36"],
    async run({ engine, appId, app, fn, finished }) {
      const { url } = await webhook(engine, `${appId} AcmeApp`);
      const prefix = `${appId}-acmeapp`;
      await app([fn("x", `${prefix}/x`, ({ event }) => event.data)]);
      const [id = ""] = (await post(url, { type: "x", data: { a: 1 } })).ids;
      expect(await finished(id)).toMatchObject({ status: "Completed", output: { a: 1 } });
      const [bare = ""] = (await post(url, { a: 1 })).ids;
      expect(await engine.event(bare)).toMatchObject({ name: `${prefix}/webhook.received`, data: { a: 1 } });
    },
  },
];
