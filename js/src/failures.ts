import { number, ranges } from "./format";
import type { Circuits, Parts } from "./parts";

/** Failed parts whose reasons are the same but for numbers, ids and quoted values. */
export interface Failure {
  /** What they share. */
  key: string;
  /** The reason of the first. */
  text: string;
  parts: number[];
  /** "circuits 20–29"; empty where circuits are unknown. */
  circuits: string;
}

const QUOTED = /“[^”]*”|"[^"]*"|`[^`]*`|(?<!\w)'[^']*'/g;
const NAMED_ID = /\b(job|id|session|instance)\b([ :=#]+)[0-9a-f]{3,}\b/gi;
const WITH_DIGIT = /[-+]?[\w.:-]*\d[\w.:-]*/g;

/** A reason without what differs from one part to the next. */
export const normal = (text: string): string =>
  text.replace(QUOTED, "“…”").replace(NAMED_ID, "$1$2#").replace(WITH_DIGIT, "#");

/** Failed parts by reason, most frequent first. */
export function failures(parts: Parts): Failure[] {
  const groups = new Map<string, { text: string; parts: number[]; circuits: Circuits[] }>();
  const seen = new Map<string, string>();
  for (let part = 0; part < parts.size; part++) {
    if (parts.status(part) !== "ERROR") continue;
    const reason = parts.reason(part);
    const id = parts.id(part);
    const whole = reason?.text ?? "";
    const text = id && whole.includes(id) ? whole.replaceAll(id, "#") : whole;
    const same = seen.get(text) ?? normal(text);
    seen.set(text, same);
    const key = `${reason?.code ?? ""} ${same}`;
    const group = groups.get(key) ?? { text: whole, parts: [], circuits: [] };
    groups.set(key, group);
    group.parts.push(part);
    const circuits = parts.circuits(part);
    if (circuits) group.circuits.push(circuits);
  }
  return [...groups]
    .map(([key, { circuits, ...group }]) => ({ key, ...group, circuits: ranges(circuits) }))
    .sort((one, other) => other.parts.length - one.parts.length);
}

/** What stands behind "3 failed" for one reason; its count only where there are several reasons. */
export function failureLine({ text, parts, circuits }: Failure, several: boolean): string {
  const quoted = text ? `“${text}”` : "no reason given";
  return [several ? `${number(parts.length)} × ${quoted}` : quoted, circuits].filter(Boolean).join(" · ");
}
