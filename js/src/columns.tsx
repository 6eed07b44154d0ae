import { type ComponentChildren, Fragment, h } from "preact";
import { CopyButton } from "./copy";
import { duration, number, range, reasonText } from "./format";
import { type Parts, POSITION_LIMIT } from "./parts";
import { isFinal, type Reason } from "./protocol";

/** One part as its row sees it. */
export interface Line {
  parts: Parts;
  part: number;
  /** The kernel's clock, milliseconds. */
  now: number;
  /** Times were seen, not told: marked ≈. */
  approximate: boolean;
}

export interface Column {
  key: string;
  title: string;
  cell: (line: Line) => ComponentChildren;
  /** The whole of what a narrow cell may cut. */
  hint?: (line: Line) => string;
  /** Pixels without which it is not worth showing, and those that it wants. */
  width: (parts: Parts) => [number, number];
  /** Takes what is left over, if no other column that is shown wants it more. */
  grows?: number;
  /** Whether any part has something to say here; always, where it is not given. */
  tells?: (parts: Parts) => boolean;
}

/** Pixels beyond which a column is no reason to leave the timeline out. */
const COMFORTABLE = 178;
const MARGIN = 28;
const GAP = 12;
const LETTER = 7.6;

function elapsed({ parts, part, now, approximate }: Line): string {
  const passed = parts.elapsed(part, now);
  if (passed === null) return "–";
  return `${approximate ? "≈ " : ""}${duration(passed, isFinal(parts.status(part)))}`;
}

function job({ parts, part }: Line): ComponentChildren {
  const id = parts.id(part);
  if (!id) return <span class="qjob-unsent">{parts.isOpen(part) ? "not sent yet" : "never sent"}</span>;
  return (
    <>
      <code>{id}</code>
      <CopyButton text={id} what={`job id ${id}`} tabIndex={-1} />
    </>
  );
}

/** "3 · ~40 s": position in the queue, and how long until it is expected to be done. */
export function queue({ parts, part, now }: Line): string {
  const position = parts.position(part);
  const place = position >= POSITION_LIMIT ? `≥ ${number(POSITION_LIMIT)}` : position ? number(position) : "";
  const expected = parts.isOpen(part) ? parts.time(part, "expected") : null;
  const left = expected !== null && expected > now ? `~${duration(expected - now)}` : "";
  return [place, left].filter(Boolean).join(" · ") || "–";
}

export function usage({ parts, part }: Line): string {
  const used = parts.usage(part);
  return used === null ? "–" : duration(used, true);
}

/** When it waited and ran, in words. */
export function spans({ parts, part, now }: Line): string {
  const [created, running] = [parts.time(part, "created"), parts.time(part, "running")];
  const end = parts.isOpen(part) ? now : parts.time(part, "finished");
  if (created === null) return "";
  const waited = `waited ${duration((running ?? end ?? created) - created, true)}`;
  return running === null || end === null ? waited : `${waited}, ran ${duration(end - running, true)}`;
}

const circuits = ({ parts, part }: Line): string => {
  const found = parts.circuits(part);
  return found ? range(found) : "–";
};
/** A job without parts has nothing to tell them apart by: its id stands above. */
const isPart = ({ meta }: Parts): boolean => meta.kind !== "job";
const reason = ({ parts, part }: Line): string => reasonText(parts.reason(part));
const label = ({ parts, part }: Line): string => parts.label(part);
const fixed = (width: number) => (): [number, number] => [width, width];
const letters = (count: number): [number, number] => [count * LETTER, count * LETTER];

const lengths = new WeakMap<object, number>();

/** Letters of the longest of many texts. */
function longest(texts: readonly (string | Reason)[]): number {
  const known = lengths.get(texts);
  if (known !== undefined) return known;
  let found = 0;
  for (const text of texts)
    found = Math.max(found, (typeof text === "string" ? text : reasonText(text)).length);
  lengths.set(texts, found);
  return found;
}

/** Room for so many letters, of which `least` pixels will do. */
function upTo(count: number, least: number): [number, number] {
  const wide = Math.min(420, Math.max(90, count * LETTER));
  return [Math.min(least, wide), wide];
}

/** Whether there is a part of which it is so. */
export const any = (tells: (parts: Parts, part: number) => boolean) => (parts: Parts) => {
  for (let part = 0; part < parts.size; part++) if (tells(parts, part)) return true;
  return false;
};

/** In the order of the table. */
export const COLUMNS: Column[] = [
  {
    key: "index",
    title: "#",
    tells: isPart,
    cell: ({ part }) => String(part),
    width: ({ size }) => letters(Math.max(3, String(size).length + 1)),
  },
  {
    key: "circuits",
    title: "Circuits",
    cell: circuits,
    width: (parts) => {
      const last = parts.circuits(parts.size - 1);
      return letters(Math.max(9, last ? range(last).length + 1 : 0));
    },
    tells: (parts) => parts.circuits(0) !== null,
  },
  {
    key: "label",
    title: "Which circuit",
    cell: label,
    hint: label,
    width: ({ meta }) => upTo(longest(meta.labels ?? []), 130),
    grows: 1,
    tells: ({ meta }) => meta.labels !== null,
  },
  {
    key: "job",
    title: "Job",
    cell: job,
    hint: ({ parts, part }) => parts.id(part),
    width: () => [92, 178],
    tells: isPart,
  },
  {
    key: "state",
    title: "Status",
    cell: ({ parts, part }) => <span data-status={parts.status(part)}>{parts.word(part)}</span>,
    hint: ({ parts, part }) => parts.word(part),
    width: ({ meta }) => {
      const longest = Math.max(10, ...Object.values(meta.words).map(({ length }) => length));
      return letters(Math.min(20, longest + 3));
    },
  },
  {
    key: "timeline",
    title: "Timeline",
    cell: () => null,
    hint: spans,
    width: () => [130, 140],
    grows: 3,
    tells: any((parts, part) => parts.time(part, "created") !== null),
  },
  {
    key: "queue",
    title: "Queue",
    cell: queue,
    width: () => [84, 100],
    tells: any(
      (parts, part) =>
        parts.position(part) > 0 || (parts.isOpen(part) && parts.time(part, "expected") !== null),
    ),
  },
  { key: "elapsed", title: "Elapsed", cell: elapsed, width: fixed(84) },
  {
    key: "usage",
    title: "QPU",
    cell: usage,
    width: fixed(64),
    tells: any((parts, part) => parts.usage(part) !== null),
  },
  {
    key: "try",
    title: "Try",
    cell: ({ parts, part }) => parts.attempt(part) || "–",
    width: fixed(28),
    tells: any((parts, part) => parts.attempt(part) > 1),
  },
  {
    key: "reason",
    title: "Reason",
    cell: reason,
    hint: reason,
    width: ({ reasons }) => upTo(longest(reasons.texts), 150),
    grows: 2,
    tells: ({ reasons }) => reasons.texts.length > 0,
  },
];

/** The columns that have something to say, the timeline unless it is not wanted. */
export function telling<Told extends Column>(parts: Parts, timeline: boolean, columns: Told[]): Told[] {
  return columns.filter(
    ({ key, tells }) => (key !== "timeline" || timeline) && (!tells || (parts.size > 0 && tells(parts))),
  );
}

/** What goes first where there is no room; what a reader looked for goes last. */
const DISPENSABLE = ["try", "usage", "job", "reason", "queue", "circuits", "label", "elapsed"];

/** The columns that fit a width, and how they share it. */
export function fit<Shown extends Column>(
  columns: Shown[],
  parts: Parts,
  width: number,
  dispensable = DISPENSABLE,
  optional = false,
): { shown: Shown[]; template: string } {
  const least = (some: Shown[]) =>
    some.reduce((sum, column) => sum + column.width(parts)[0] + GAP, MARGIN - GAP);
  // A timeline that nobody asked for takes no room that others want.
  const comfortable = (column: Shown) => Math.min(column.width(parts)[1], COMFORTABLE);
  const wanted = columns.reduce((sum, column) => sum + comfortable(column) + GAP, MARGIN - GAP);
  const roomy = optional && wanted <= width;
  let shown = optional && !roomy ? columns.filter(({ key }) => key !== "timeline") : columns;
  for (const key of dispensable) {
    if (least(shown) <= width) break;
    shown = shown.filter((column) => column.key !== key);
  }
  const most = Math.max(...shown.map(({ grows }) => grows ?? 0));
  const template = shown.map((column) => {
    const [small, enough] = column.width(parts).map(Math.ceil);
    const smallest = roomy ? Math.ceil(comfortable(column)) : small;
    if (column.grows && column.grows === most) return `minmax(${smallest}px,1fr)`;
    return smallest === enough ? `${enough}px` : `minmax(${smallest}px,${enough}px)`;
  });
  if (!most) template.push("1fr");
  return { shown, template: template.join(" ") };
}
