/** Words and numbers for people. Pure: no DOM, no clock. */
import type { Circuits } from "./parts";
import { type Counts, type Reason, STATUSES, WORDS } from "./protocol";

/** Made once: making it takes longer than all that is written in an update. */
export const number = new Intl.NumberFormat("en-US").format as (value: number) => string;

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`;

/** 1st, 2nd, 3rd, 4th, … */
export function ordinal(value: number): string {
  const teen = value % 100 >= 11 && value % 100 <= 13;
  const ending = teen ? "th" : (["th", "st", "nd", "rd"][value % 10] ?? "th");
  return `${value}${ending}`;
}

/** Milliseconds in the two largest units that matter; tenths only below ten seconds and when asked for. */
export function duration(milliseconds: number, tenths = false): string {
  const seconds = milliseconds / 1000;
  if (tenths && seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = tenths ? Math.round(seconds) : Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 10) return whole % 60 ? `${minutes} min ${whole % 60} s` : `${minutes} min`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// Swedish is written as ISO 8601 has it.
const written = new Intl.DateTimeFormat("sv", { dateStyle: "short", timeStyle: "medium" }).format;

/** HH:MM:SS in the reader's time zone, with the date in front unless it is the day of `now`. */
export function clock(moment: number, now: number): string {
  const whole = written(moment);
  return whole.slice(0, 10) === written(now).slice(0, 10) ? whole.slice(11) : whole;
}

/** A long id with its middle left out. */
export const shortId = (id: string): string => (id.length > 30 ? `${id.slice(0, 25)}…${id.slice(-3)}` : id);

export const range = ({ first, last }: Circuits): string =>
  first === last ? `${first}` : `${first}–${last}`;

/** "circuits 0–9, 30–49, 60 and 4 more": neighbours joined, at most `limit` ranges named. */
export function ranges(circuits: Iterable<Circuits>, limit = 3): string {
  const joined: Circuits[] = [];
  for (const { first, last } of circuits) {
    const before = joined.at(-1);
    if (before && before.last + 1 === first) before.last = last;
    else joined.push({ first, last });
  }
  if (joined.length === 0) return "";
  const only = joined[0] as Circuits;
  const noun = joined.length === 1 && only.first === only.last ? "circuit" : "circuits";
  const rest = joined.length > limit ? ` and ${number(joined.length - limit)} more` : "";
  return `${noun} ${joined.slice(0, limit).map(range).join(", ")}${rest}`;
}

export const reasonText = (reason: Reason | null): string =>
  reason ? [reason.code, reason.text].filter((piece) => piece !== null && piece !== "").join(" ") : "";

/** "9 done, 1 failed, 2 queued", most telling first. */
export const countWords = (counts: Counts): string =>
  [...STATUSES]
    .reverse()
    .filter((status) => counts[status])
    .map((status) => `${number(counts[status])} ${WORDS[status]}`)
    .join(", ");
