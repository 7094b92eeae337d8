import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../../src/bindings.ts";
import type { Announcement } from "../../../src/protocol/realtime.ts";
import { type FollowedTopics, Publications } from "../../../src/runs/publications.ts";
import { completed, ran, T0, TestRun } from "../decide/run/run.ts";

/** A run that is followed through a channel of the test, and what its disk remembers. */
function followed() {
  const batches: (readonly Announcement[])[] = [];
  const channel = {
    /** What the channel answers: the topics somebody hears. */
    heard: ["$run", "$step", "$life"],
    answer: async (): Promise<void> => {},
    async announce(_: string, announcements: readonly Announcement[]) {
      batches.push(announcements);
      const { heard } = channel;
      await channel.answer();
      return heard;
    },
  };
  const disk: FollowedTopics & { topics: readonly string[]; writes: number } = {
    topics: [],
    writes: 0,
    read: () => disk.topics,
    write(topics) {
      disk.topics = topics;
      disk.writes++;
    },
  };
  // A run asks for nothing else of its environment here.
  const bindings = { CHANNEL: { getByName: () => channel } } as unknown as Bindings;
  const publications = new Publications(bindings, disk);
  const run = new TestRun();
  const decide = (act: () => unknown) => {
    act();
    const decision = run.log.at(-1);
    if (decision !== undefined) publications.decided(run.state, decision);
  };
  const messages = () =>
    batches.flat().map(({ message: { topic, data }, to }) => ({ topic, to, data: JSON.parse(data) }));
  return { batches, channel, disk, publications, run, decide, messages };
}

const settled = () => new Promise((wake) => setTimeout(wake, 0));

beforeEach(() => {
  vi.restoreAllMocks();
});

describe("what a run publishes", () => {
  it("costs nothing while nobody follows it", async () => {
    const { decide, run, batches, disk } = followed();
    decide(() => run.ops([ran("a")]));
    decide(() => run.ops([completed(1)]));
    await settled();
    expect([batches, disk.writes]).toEqual([[], 0]);
  });

  it("RT-7: is what its followers hear, each on its topic", async () => {
    const { decide, run, publications, messages } = followed();
    publications.follow(run.state, ["$run", "$step"], "l1", T0);
    decide(() => run.ops([ran("a", "A")]));
    decide(() => run.ops([completed({ ok: 1 })]));
    await settled();
    expect(messages()).toEqual([
      { topic: "$step", to: null, data: "A" },
      { topic: "$run", to: null, data: { ok: 1 } },
    ]);
  });

  it("begins with how the run stands, for the new follower alone", async () => {
    const { run, publications, messages, disk } = followed();
    publications.follow(run.state, ["$life"], "l1", T0);
    publications.follow(run.state, ["$life"], "l2", T0);
    await settled();
    expect(messages()).toMatchObject([
      { topic: "$life", to: "l1", data: { state: "now" } },
      { topic: "$life", to: "l2", data: { state: "now" } },
    ]);
    expect(disk.writes).toBe(1);
  });

  it("keeps its order, one batch on its way at a time", async () => {
    const { channel, decide, run, publications, batches, messages } = followed();
    let arrived = () => {};
    channel.answer = () =>
      new Promise((done) => {
        arrived = done;
      });
    publications.follow(run.state, ["$step"], "l1", T0);
    decide(() => run.ops([ran("a")]));
    await settled();
    for (const id of ["b", "c"]) decide(() => run.ops([ran(id)]));
    await settled();
    expect(batches).toHaveLength(1);
    channel.answer = async () => {};
    arrived();
    await settled();
    expect(batches).toHaveLength(2);
    expect(messages().map(({ data }) => data)).toEqual(["a", "b", "c"]);
  });

  it("ends when nobody hears it any more", async () => {
    const { channel, decide, run, publications, batches, disk } = followed();
    publications.follow(run.state, ["$step", "$run"], "l1", T0);
    channel.heard = [];
    decide(() => run.ops([ran("a")]));
    await settled();
    expect(disk.topics).toEqual([]);
    decide(() => run.ops([ran("b")]));
    await settled();
    expect(batches).toHaveLength(1);
  });

  it("goes on for somebody who came while the channel was saying that nobody was there", async () => {
    const { channel, decide, run, publications, disk } = followed();
    let arrived = () => {};
    channel.answer = () =>
      new Promise((done) => {
        arrived = done;
      });
    publications.follow(run.state, ["$step"], "l1", T0);
    channel.heard = [];
    decide(() => run.ops([ran("a")]));
    await settled();
    publications.follow(run.state, ["$step"], "l2", T0);
    arrived();
    await settled();
    expect(disk.topics).toEqual(["$step"]);
  });

  it("RT-8: is lost when the channel cannot be reached, and the run goes on telling", async () => {
    const { channel, decide, run, publications, messages } = followed();
    const logged = vi.spyOn(console, "error").mockReturnValue();
    publications.follow(run.state, ["$step"], "l1", T0);
    channel.answer = async () => {
      throw new Error("the channel is gone");
    };
    decide(() => run.ops([ran("a")]));
    await settled();
    expect(logged).toHaveBeenCalledTimes(1);
    channel.answer = async () => {};
    decide(() => run.ops([ran("b")]));
    await settled();
    expect(messages().map(({ data }) => data)).toEqual(["a", "b"]);
  });

  it("RT-10: leaves out what does not fit into a message, and says so", async () => {
    const { decide, run, publications, batches } = followed();
    publications.follow(run.state, ["$step"], "l1", T0);
    decide(() => run.ops([ran("a", "x".repeat(600 * 1024))]));
    await settled();
    const [message] = batches.flat().map((announcement) => announcement.message);
    expect([message?.data, JSON.parse(message?.metadata ?? "null")]).toMatchObject(["null", { omitted: true }]);
  });

  it("of an ended run is only how it stands, and nothing is remembered", async () => {
    const { run, publications, messages, disk } = followed();
    run.ops([completed(1)]);
    publications.follow(run.state, ["$life", "$run"], "l1", T0);
    await settled();
    expect(messages()).toMatchObject([{ data: { state: "now", status: "completed" } }]);
    expect(disk.writes).toBe(0);
  });
});
