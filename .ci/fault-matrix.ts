/**
 * The faults Millrace is tested against, row by row. Owns the rows: what goes wrong, and which invariants it threatens most. Which tests
 * show a row is not said here: they name it themselves ("row 12: …", "rows 4, 5: …"), so that a row whose test is gone is noticed.
 */

/** What must hold of every run, whatever happens. The names are used by the tests. */
export const INVARIANTS: Readonly<Record<string, string>> = {
  I1: "No accepted event loses a run: each matching function runs exactly once for it, and that run ends or is visibly waiting.",
  I2: "No step is recorded twice, and what was recorded never changes. A step may execute again; its result counts once.",
  I3: "No limit is exceeded, at any instant.",
  I4: "No run is stuck: whoever has not ended has an alarm, a place in a line, a call with a deadline, or a wait with an end.",
  I5: "No lease is left over: at rest nobody holds anything.",
  I6: "History agrees with the runs: the newest report wins, and what has ended does not change.",
  I7: "Nothing happens before its time, and little after it.",
  I8: "No environment sees another's data, and no secret appears in logs, history or errors.",
};

/** One fault. */
export interface Row {
  readonly number: number;
  readonly fault: string;
  readonly threatens: readonly string[];
}

const row = (number: number, fault: string, ...threatens: string[]): Row => ({ number, fault, threatens });

/** All rows, in the order of their numbers. */
export const ROWS: readonly Row[] = [
  row(1, "A crash between any two writes, and between a write and its effect", "I1", "I2", "I5"),
  row(2, "`kill -9` of the whole engine at any moment", "I1", "I4"),
  row(3, "Eviction of objects, hibernation of sockets in the middle of runs", "I4", "I6"),
  row(4, "A queue delivers a message several times, also at once", "I2", "I3"),
  row(5, "Messages are delayed and overtake each other", "I2", "I6"),
  row(6, "A queue loses messages", "I1", "I4"),
  row(7, "An alarm fires twice, late, or long after a restart", "I2", "I7"),
  row(8, "The platform gives an alarm up", "I4"),
  row(9, "Clocks jump, and differ between objects; changes of summer time", "I3", "I7"),
  row(10, "An object that was replaced goes on", "I2", "I3"),
  row(11, "An app is slow, silent, trickles, or breaks the connection", "I4", "I5"),
  row(
    12,
    "An app answers too late: after its deadline, after the retry, after the cancellation, after the end",
    "I2",
    "I6",
  ),
  row(13, "A reply is huge, endless, a compressed bomb, or lies about its length", "I4"),
  row(14, "A reply is malformed", "I2", "I6"),
  row(15, "Storms of statuses, absurd `Retry-After`, redirects in circles and to private addresses", "I4", "I7"),
  row(16, "The app did the work and its reply is lost", "I2"),
  row(17, "The app is deployed anew in the middle of runs", "I1", "I4"),
  row(18, "The engine is deployed anew in the middle of runs, forwards and back", "I6"),
  row(19, "Events and waits in every order: before, during and after, with a time-out at the same instant", "I1", "I2"),
  row(20, "A cancellation races with everything else that can happen to a run", "I2", "I5", "I6"),
  row(21, "A line dies with leases out, its holder dies, its limit or its key changes", "I3", "I5"),
  row(22, "Something in the front of a line always fails", "I4"),
  row(23, "Bursts, and objects that answer that they are overloaded", "I1", "I3"),
  row(24, "A call between objects fails before it takes effect, or after", "I1", "I2", "I5"),
  row(25, "The database is away, slow, or has lost rows", "I6"),
  row(26, "Limits are reached to the byte", "I4"),
  row(27, "Realtime: dropped sockets, slow readers, tokens that expire, messages during hibernation", "I8"),
  row(28, "Ticks of crons missed, doubled, edited while due; an engine that was away", "I1", "I7"),
  row(29, "Restoring: the database or one run's object from an earlier time", "I6"),
  row(30, "A hostile neighbour: two environments with the same names and keys", "I8"),
];
