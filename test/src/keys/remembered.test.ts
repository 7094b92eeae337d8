import { expect, it, vi } from "vitest";
import { Remembered } from "../../../src/keys/remembered.ts";
import { KEY } from "../../../src/limits.ts";

const NOW = 1_800_000_000_000;
// Nothing looks inside: a database is only what values belong to.
const database = () => ({}) as D1Database;

/** What is stored, and how often it was read. */
function stored() {
  const read = vi.fn(async (_db: D1Database, name: string) => `${name} ${read.mock.calls.length}`);
  return { read, remembered: new Remembered(read) };
}

it("EV-18: is read once in its time, and seen anew after it", async () => {
  const { read, remembered } = stored();
  const db = database();
  expect(await remembered.get(db, "a", NOW)).toBe("a 1");
  expect(await remembered.get(db, "a", NOW + KEY.age - 1)).toBe("a 1");
  expect(await remembered.get(db, "a", NOW + KEY.age)).toBe("a 2");
  expect(read).toHaveBeenCalledTimes(2);
  expect(KEY.age).toBeLessThanOrEqual(10_000);
});

it("what is not there is remembered as well", async () => {
  const read = vi.fn(async () => null);
  const remembered = new Remembered(read);
  const db = database();
  for (let n = 0; n < 3; n++) expect(await remembered.get(db, "unknown", NOW + n)).toBeNull();
  expect(read).toHaveBeenCalledTimes(1);
});

it("a clock that has gone back far does not keep a value for ever", async () => {
  const { remembered } = stored();
  const db = database();
  await remembered.get(db, "a", NOW);
  expect(await remembered.get(db, "a", NOW - 10 * KEY.age)).toBe("a 2");
});

it("databases have values of their own, and forgetting forgets one's", async () => {
  const { remembered } = stored();
  const [one, other] = [database(), database()];
  expect(await remembered.get(one, "a", NOW)).toBe("a 1");
  expect(await remembered.get(other, "a", NOW)).toBe("a 2");
  remembered.forget(one);
  expect(await remembered.get(one, "a", NOW)).toBe("a 3");
  expect(await remembered.get(other, "a", NOW)).toBe("a 2");
});

it("goes on for its time while the database does not answer, and then says so", async () => {
  const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
  const { read, remembered } = stored();
  const db = database();
  await remembered.get(db, "a", NOW);
  read.mockRejectedValue(new Error("D1 is away"));
  expect(await remembered.get(db, "a", NOW + KEY.ageWithout)).toBe("a 1");
  expect(complaint).toHaveBeenCalledWith(expect.any(String), "D1 is away");
  await expect(remembered.get(db, "a", NOW + KEY.ageWithout + 1)).rejects.toThrow("D1 is away");
  await expect(remembered.get(db, "b", NOW)).rejects.toThrow("D1 is away");
  complaint.mockRestore();
});

it("is bounded: what was read longest ago goes first", async () => {
  const { read, remembered } = stored();
  const db = database();
  for (let n = 0; n < KEY.remembered; n++) await remembered.get(db, `${n}`, NOW);
  // Read anew, so that "1" is the oldest now.
  await remembered.get(db, "0", NOW + KEY.age);
  await remembered.get(db, "more", NOW + KEY.age);
  const before = read.mock.calls.length;
  await remembered.get(db, "0", NOW + KEY.age);
  expect(read).toHaveBeenCalledTimes(before);
  await remembered.get(db, "1", NOW);
  expect(read).toHaveBeenCalledTimes(before + 1);
});
