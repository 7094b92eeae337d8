/**
 * What a run tells those who follow it, over the channel that has its id (spec/08): nothing, and at no cost, while nobody does.
 * Owns the order: one batch is on its way at a time. Followers are told at most once, like all subscribers (RT-8); what the run does
 * never waits for them.
 */
import type { Bindings } from "../bindings.ts";
import type { Decision } from "../decide/run/change.ts";
import { type Moment, momentsOf, standing } from "../decide/run/life.ts";
import type { RunState } from "../decide/run/state.ts";
import { messageOf } from "../errors.ts";
import { REALTIME } from "../limits.ts";
import { channelStub } from "../objects.ts";
import { type Announcement, type Message, OF_RUN } from "../protocol/realtime.ts";

/** Where a run remembers which of its topics are followed, for as long as they are. */
export interface FollowedTopics {
  read(): readonly string[];
  write(topics: readonly string[]): void;
}

const KINDS = { life: "data", step: "step", end: "run" } as const satisfies Record<Moment["of"], Message["kind"]>;

export class Publications {
  readonly #bindings: Bindings;
  readonly #topics: FollowedTopics;
  /** Rises with every follower: what the channel says about its listeners may be older than the newest of them. */
  #followers = 0;
  #queue: Announcement[] = [];
  #sending = false;

  constructor(bindings: Bindings, topics: FollowedTopics) {
    this.#bindings = bindings;
    this.#topics = topics;
  }

  /** Somebody follows these topics from now on, and hears how the run stands. */
  follow(state: RunState, topics: readonly string[], listener: string, now: number): void {
    this.#followers++;
    const followed = this.#topics.read();
    const added = topics.filter((topic) => !followed.includes(topic));
    // Of a run that has ended there is nothing more to come.
    if (added.length > 0 && state.outcome === null) this.#topics.write([...followed, ...added]);
    if (topics.includes(OF_RUN.life)) this.#announce(state, [standing(state, now)], listener);
  }

  /** The run has decided something. */
  decided(state: RunState, decision: Decision): void {
    const followed = this.#topics.read();
    if (followed.length === 0) return;
    const moments = momentsOf(decision, state.sequence).filter(({ of }) => followed.includes(OF_RUN[of]));
    this.#announce(state, moments, null);
  }

  #announce(state: RunState, moments: readonly Moment[], to: string | null): void {
    this.#queue.push(...moments.map((moment) => ({ message: messageFor(state, moment), to })));
    if (this.#sending || this.#queue.length === 0) return;
    this.#sending = true;
    const { environmentId, runId } = state.identity;
    this.#sendAll(environmentId, runId)
      .catch((error: unknown) => {
        this.#queue = [];
        console.error(`run ${runId}: its followers could not be told: ${messageOf(error)}`);
      })
      .finally(() => {
        this.#sending = false;
      });
  }

  async #sendAll(environmentId: string, runId: string): Promise<void> {
    const channel = await channelStub(this.#bindings, environmentId, runId);
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      const followers = this.#followers;
      this.#queue = [];
      const heard = await channel.announce(runId, batch);
      const followed = this.#topics.read();
      const still = followed.filter((topic) => heard.includes(topic));
      if (still.length < followed.length && followers === this.#followers) this.#topics.write(still);
    }
  }
}

function messageFor({ identity }: RunState, moment: Moment): Message {
  const { runId, function: configured } = identity;
  const data = JSON.stringify(moment.data);
  // Its reader asks the run for what does not fit into a message (RT-10).
  const fits = data.length <= REALTIME.messageBytes;
  return {
    kind: KINDS[moment.of],
    topic: OF_RUN[moment.of],
    data: fits ? data : "null",
    runId,
    functionId: configured.id,
    metadata: moment.of === "life" ? null : JSON.stringify({ ...moment.metadata, ...(fits ? {} : { omitted: true }) }),
    streamId: null,
  };
}
