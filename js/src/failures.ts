import { number, ranges } from "./format";
import type { Circuits, Parts } from "./parts";

/** Failed parts whose reasons are the same but for numbers, ids and quoted values. */
export interface Failure {
  /** What they share. */
  key: string;
  /** The reason, with what differs between them left out. */
  text: string;
  code: number | null;
  parts: number[];
  /** "circuits 20–29"; empty where circuits are unknown. */
  circuits: string;
  /** Which they are: "sweep θ=0.025, sweep θ=0.05 …"; empty where that is not known. */
  names: string;
}

/** Parts of a group that are named. */
const NAMED = 3;

const QUOTED = /“[^”]*”|"[^"]*"|`[^`]*`|(?<!\w)'[^']*'/g;
const NAMED_ID = /\b(job|id|session|instance)\b([ :=#]+)[0-9a-f]{3,}\b/gi;
const WITH_DIGIT = /[-+]?[\w.:-]*\d[\w.:-]*/g;

/** A reason without what differs from one part to the next. */
export const normal = (text: string): string =>
  text.replace(QUOTED, "“…”").replace(NAMED_ID, "$1$2#").replace(WITH_DIGIT, "#");

/** The words that two reasons of a group share; "…" in place of the others. */
function shared(text: string, other: string): string {
  if (text === other) return text;
  const [words, others] = [text.split(" "), other.split(" ")];
  if (words.length !== others.length) return normal(text).replaceAll("#", "…");
  return words.map((word, at) => (word === others[at] ? word : "…")).join(" ");
}

/** Failed parts by reason, most frequent first. */
export function failures(parts: Parts): Failure[] {
  const groups = new Map<
    string,
    { text: string; code: number | null; parts: number[]; circuits: Circuits[]; labels: Set<string> }
  >();
  const seen = new Map<string, string>();
  for (const part of parts.inState("ERROR")) {
    const reason = parts.reason(part);
    const id = parts.id(part);
    const whole = reason?.text ?? "";
    const text = id && whole.includes(id) ? whole.replaceAll(id, "#") : whole;
    const known = seen.get(text);
    const same = known ?? normal(text);
    seen.set(text, same);
    const code = reason?.code ?? null;
    const key = `${code} ${same}`;
    const group = groups.get(key) ?? { text: whole, code, parts: [], circuits: [], labels: new Set() };
    groups.set(key, group);
    if (known === undefined || text !== whole) group.text = shared(group.text, whole);
    group.parts.push(part);
    const circuits = parts.circuits(part);
    if (circuits) group.circuits.push(circuits);
    const label = parts.label(part);
    if (label) group.labels.add(label);
  }
  return [...groups]
    .map(([key, { circuits, labels, ...group }]) => ({
      key,
      ...group,
      circuits: ranges(circuits),
      names: [...labels].slice(0, NAMED).join(", ") + (labels.size > NAMED ? " …" : ""),
    }))
    .sort((one, other) => other.parts.length - one.parts.length);
}

/** What stands behind "3 failed" for one reason; its count only where there are several reasons. */
export function failureLine({ text, code, parts, circuits, names }: Failure, several: boolean): string {
  const quoted = (text ? `“${text}”` : "no reason given") + (code ? ` (${code})` : "");
  return [several ? `${number(parts.length)} × ${quoted}` : quoted, circuits, names]
    .filter(Boolean)
    .join(" · ");
}
