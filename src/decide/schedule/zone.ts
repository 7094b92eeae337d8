/**
 * Time zones: by how much local clocks differ from UTC at an instant. Owns which names are zones. Pure: the rules come with the runtime
 * and the instant is always an argument.
 */

/** The offset of local time from UTC at an instant (ms since 1970), in ms; positive in the east. */
export type Zone = (instant: number) => number;

/** The zone with this IANA name; null when there is none. */
export function zoneOf(name: string): Zone | null {
  // Offsets such as `+02:00` are no names, though the runtime would take them.
  if (name === "" || /^[+-]/.test(name)) return null;
  if (name === "UTC") return () => 0;
  try {
    const format = new Intl.DateTimeFormat("en", { timeZone: name, timeZoneName: "longOffset" });
    return (instant) => offsetIn(format.format(instant));
  } catch {
    // The only thing this can mean is that the name is unknown.
    return null;
  }
}

/** The offset at the end of a text such as `11/21/2026, GMT+05:30`; without one it is zero. */
function offsetIn(text: string): number {
  const parts = /GMT([+-])(\d+):(\d+)(?::(\d+))?$/.exec(text);
  if (parts === null) return 0;
  const [, sign, hours, minutes, seconds = 0] = parts;
  const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  return sign === "-" ? -size : size;
}
