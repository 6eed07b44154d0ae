/** Which parts a table shows, and in which order. Pure, and computed once a change. */
import { range, reasonText } from "./format";
import { ranks } from "./natural";
import type { Circuits, Parts } from "./parts";
import { type Meta, STATUSES, type Status } from "./protocol";

export interface Sort {
  key: string;
  /** Largest first. What is not known comes last in both directions. */
  down: boolean;
}

export interface Wanted {
  /** Empty = all. */
  statuses: ReadonlySet<Status>;
  /** Words that a part has to hold, all of them. */
  text: string;
  /** Only these parts; null = all. */
  among: ReadonlySet<number> | null;
}

/** Larger than anything that is sorted by (times are 32 bit), small enough to be packed with an index. */
const UNKNOWN = 2 ** 33;

export type Rank = (parts: Parts, part: number, now: number) => number | null;
export const RANKS: Record<string, Rank> = {
  circuits: (parts, part) => parts.circuits(part)?.first ?? null,
  label: (parts, part) => known(parts.meta, "label", () => parts.meta.labels ?? [])[part] ?? null,
  job: (parts, part) => known(parts.meta, "job", () => parts.meta.ids)[part] ?? null,
  state: (parts, part) => STATUSES.indexOf(parts.status(part)),
  queue: (parts, part) => parts.position(part) || null,
  elapsed: (parts, part, now) => parts.elapsed(part, now),
  usage: (parts, part) => parts.usage(part),
  try: (parts, part) => parts.attempt(part) || null,
  reason: ({ reasons }, part) =>
    known(reasons, "reason", () => reasons.texts.map(reasonText))[reasons.of[part] as number] ?? null,
};

const cache = new WeakMap<object, Map<string, (number | null)[]>>();

/** Ranks of texts of a trait, which change only with it. */
export function known(meta: object, key: string, texts: () => string[]): (number | null)[] {
  const found = cache.get(meta) ?? new Map<string, (number | null)[]>();
  cache.set(meta, found);
  const there = found.get(key) ?? ranks(texts());
  found.set(key, there);
  return there;
}

/** The parts that are wanted, in index order. */
export function filtered(parts: Parts, { statuses, text, among }: Wanted, told = searchable): Uint32Array {
  const found = new Uint32Array(parts.size);
  const terms = text.toLowerCase().split(/\s+/).filter(Boolean);
  const texts = terms.length ? told(parts.meta) : [];
  const reasons = parts.reasons.texts.map((reason) => reasonText(reason).toLowerCase());
  const held = (term: string, part: number) =>
    texts[part]?.includes(term) ||
    within(parts.circuits(part), term) ||
    parts.word(part).toLowerCase().includes(term) ||
    reasons[parts.reasons.of[part] as number]?.includes(term);
  let size = 0;
  for (let part = 0; part < parts.size; part++) {
    if (among && !among.has(part)) continue;
    if (statuses.size && !statuses.has(parts.status(part))) continue;
    if (terms.every((term) => held(term, part))) found[size++] = part;
  }
  return found.subarray(0, size);
}

/** Whether a word is the number of one of these circuits. */
const within = (circuits: Circuits | null, word: string): boolean =>
  circuits !== null && /^\d+$/.test(word) && circuits.first <= +word && +word <= circuits.last;

const written = new WeakMap<Meta, string[]>();

/** What a part can be found by, apart from its word and reason. */
export function searchable(meta: Meta): string[] {
  const found =
    written.get(meta) ??
    Array.from({ length: meta.total }, (_, part) => {
      const circuits = range({ first: meta.start[part] ?? 0, last: meta.end[part] ?? 0 });
      const told = meta.start.length ? `${circuits} ${circuits.replace("–", "-")}` : "";
      return [`#${part}`, meta.ids[part], meta.labels?.[part], meta.within?.[part], told]
        .join(" ")
        .toLowerCase();
    });
  written.set(meta, found);
  return found;
}

/** `found` in the order of `sort`; equal ones stay in index order. */
export function sorted(
  parts: Parts,
  found: Uint32Array,
  { key, down }: Sort,
  now: number,
  ranks = RANKS,
): Uint32Array {
  const rank = ranks[key];
  if (!rank) return down ? found.slice().reverse() : found;
  // One number holds rank and index, since numbers are sorted many times faster without a comparison.
  const packed = new Float64Array(found.length);
  found.forEach((part, at) => {
    const value = rank(parts, part, now);
    const whole = Math.min(UNKNOWN - 1, Math.round(value ?? 0));
    packed[at] = (value === null ? UNKNOWN : down ? UNKNOWN - 1 - whole : whole) * parts.size + part;
  });
  return Uint32Array.from(packed.sort(), (number) => number % parts.size);
}
