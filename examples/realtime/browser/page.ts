/** The page: asks its server for an order and a token, listens, starts the run, and passes a person's answer on. */
import { subscribe } from "inngest/realtime";

/** What the server answers: an order, and what is needed to listen to it. */
interface Order {
  readonly orderId: string;
  readonly key: string;
  readonly apiBaseUrl: string;
}

interface Progress {
  readonly text: string;
  readonly done: number;
  readonly of: number;
}

interface Approval {
  readonly approvalId: string;
  readonly question: string;
}

interface Result {
  readonly text: string;
}

const start = element("start", HTMLButtonElement);
const approve = element("approve", HTMLButtonElement);
const refuse = element("refuse", HTMLButtonElement);
const progress = element("progress", HTMLProgressElement);
const approval = element("approval", HTMLElement);

start.addEventListener("click", async () => {
  start.disabled = true;
  await follow().catch((error: unknown) => say("state", String(error)));
  start.disabled = false;
});

async function follow(): Promise<void> {
  const { orderId, key, apiBaseUrl } = await post<Order>("/orders", {});
  const topics = ["progress", "approval", "result"];
  // First listen, then start: a message nobody hears is gone.
  const messages = await subscribe({ channel: `order:${orderId}`, topics, key, apiBaseUrl });
  say("state", "listening");
  await post("/orders/start", { orderId });
  const reader = messages.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    show(next.value.topic ?? "", next.value.data);
    if (next.value.topic === "result") messages.close();
  }
  say("state", "done");
}

function show(topic: string, data: unknown): void {
  switch (topic) {
    case "progress": {
      const { text, done, of } = data as Progress;
      progress.max = of;
      progress.value = done;
      const line = document.createElement("li");
      line.textContent = `packed: ${text}`;
      element("log", HTMLElement).append(line);
      return;
    }
    case "approval": {
      const { approvalId, question } = data as Approval;
      say("question", question);
      approval.hidden = false;
      approve.onclick = () => decide(approvalId, true);
      refuse.onclick = () => decide(approvalId, false);
      return;
    }
    case "result":
      say("result", (data as Result).text);
  }
}

function decide(approvalId: string, approved: boolean): Promise<unknown> {
  approval.hidden = true;
  return post("/approvals", { approvalId, approved });
}

async function post<T>(path: string, body: unknown): Promise<T> {
  const response = await fetch(path, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`The server answered ${response.status}`);
  return await response.json();
}

function say(id: string, text: string): void {
  element(id, HTMLElement).textContent = text;
}

function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${id}`);
  return found;
}
