import { number, ranges } from "./format";
import type { Circuits, Parts } from "./parts";

/** Failed parts that share a reason. */
export interface Failure {
  text: string;
  count: number;
  /** "circuits 20–29"; empty where circuits are unknown. */
  circuits: string;
}

/** Failed parts by reason, most frequent first. */
export function failures(parts: Parts): Failure[] {
  const groups = new Map<string, { count: number; circuits: Circuits[] }>();
  for (let part = 0; part < parts.size; part++) {
    if (parts.status(part) !== "ERROR") continue;
    const text = parts.reason(part)?.text || "";
    const group = groups.get(text) ?? { count: 0, circuits: [] };
    groups.set(text, group);
    group.count++;
    const circuits = parts.circuits(part);
    if (circuits) group.circuits.push(circuits);
  }
  return [...groups]
    .sort(([, one], [, other]) => other.count - one.count)
    .map(([text, { count, circuits }]) => ({ text, count, circuits: ranges(circuits) }));
}

/** What stands behind "3 failed · " for one reason; its count only where there are several reasons. */
export function failureLine({ text, count, circuits }: Failure, several: boolean): string {
  const quoted = text ? `“${text}”` : "no reason given";
  return [several ? `${number(count)} × ${quoted}` : quoted, circuits].filter(Boolean).join(" · ");
}
