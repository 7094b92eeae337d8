/**
 * A page with the React hooks of both SDKs, as an app would use them: `?hook=v3` or `?hook=v4`. Shows the hook's state, its messages and
 * how often it asked its server for a token.
 */
import { type InngestSubscriptionState, useInngestSubscription } from "@inngest/realtime/hooks";
import { useRealtime } from "inngest/react";
import { createElement, useCallback, useRef } from "react";
import { createRoot } from "react-dom/client";

interface Token {
  readonly key: string;
  readonly apiBaseUrl: string;
}

const CHANNEL = "page:1";
const TOPICS = ["t"];

async function askServer(): Promise<Token> {
  return await (await fetch("/token", { method: "POST" })).json();
}

function View({ state, data }: { state: InngestSubscriptionState | string; data: readonly unknown[] }) {
  return createElement(
    "div",
    null,
    createElement("output", { id: "state" }, state),
    createElement(
      "ol",
      { id: "data" },
      ...data.map((each, i) => createElement("li", { key: i }, JSON.stringify(each))),
    ),
  );
}

function V3() {
  const states = useRef<string[]>([]);
  const refreshToken = useCallback(async () => {
    const { key } = await askServer();
    return { channel: CHANNEL, topics: TOPICS, key };
  }, []);
  // The package's types tie a token to a channel defined with it.
  const { data, state } = useInngestSubscription({ refreshToken: refreshToken as never });
  if (states.current.at(-1) !== state) states.current.push(state);
  Object.assign(globalThis, { states: states.current });
  const messages = (data as { data: unknown }[]).map((message) => message.data);
  return createElement(View, { state, data: messages });
}

function V4() {
  const states = useRef<string[]>([]);
  const { messages, connectionStatus } = useRealtime({ channel: CHANNEL, topics: TOPICS, token: askServer });
  if (states.current.at(-1) !== connectionStatus) states.current.push(connectionStatus);
  Object.assign(globalThis, { states: states.current });
  return createElement(View, { state: connectionStatus, data: messages.all.map(({ data }) => data) });
}

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no root");
createRoot(root).render(createElement(new URLSearchParams(location.search).get("hook") === "v3" ? V3 : V4));
