/**
 * Doing one thing for many. Owns the bound on how much of it happens at once.
 */

/**
 * Runs `work` for each item, at most `limit` at a time, and gives the results in the items' order. When some fail the others are
 * still finished first, because what is begun must not be cut off by the reply; then the first failure is thrown.
 */
export async function inParallel<Item, Result>(
  limit: number,
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const failures: unknown[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) {
      try {
        results[index] = await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
