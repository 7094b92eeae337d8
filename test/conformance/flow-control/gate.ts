/**
 * Bodies that the test holds back, so that what overlaps does not depend on how fast the machine is.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** A body that many run at once. */
export interface Gate {
  readonly enter: () => Promise<void>;
  /** Bodies inside now, the most there ever were, and how many have come so far. */
  readonly inside: number;
  readonly most: number;
  readonly come: number;
  /** Lets so many out, the first ones first. */
  release(count: number): void;
  /** Lets everybody out, also those who still come. */
  open(): void;
}

/** A gate that opens when so many are inside. From then on everybody stays for `stay` ms, so that one too many would be seen. */
export function gate(opensAt: number, stay = 0): Gate {
  const waiting: (() => void)[] = [];
  let [inside, most, come, isOpen] = [0, 0, 0, false];
  const release = (count: number) => {
    for (const leave of waiting.splice(0, count)) leave();
  };
  const open = () => {
    isOpen = true;
    release(waiting.length);
  };
  return {
    enter: async () => {
      come++;
      most = Math.max(most, ++inside);
      if (inside >= opensAt) open();
      if (!isOpen) await new Promise<void>((leave) => waiting.push(leave));
      if (stay > 0) await sleep(stay);
      inside--;
    },
    get inside() {
      return inside;
    },
    get most() {
      return most;
    },
    get come() {
      return come;
    },
    release,
    open,
  };
}

/** A gate that only the test opens. */
export function lock(): Gate {
  return gate(Number.POSITIVE_INFINITY);
}
