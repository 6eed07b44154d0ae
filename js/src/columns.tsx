import { type ComponentChildren, Fragment, h } from "preact";
import { CopyButton } from "./copy";
import { duration, range, reasonText } from "./format";
import { type Parts, POSITION_LIMIT } from "./parts";
import { isFinal } from "./protocol";

/** One part as its row sees it. */
export interface Line {
  parts: Parts;
  part: number;
  /** The kernel's clock, milliseconds. */
  now: number;
  /** Times were seen, not told: marked ≈. */
  approximate: boolean;
}

interface Column {
  key: string;
  title: string;
  cell: (line: Line) => ComponentChildren;
  /** The whole of what a narrow cell may cut. */
  hint?: (line: Line) => string;
}

function elapsed({ parts, part, now, approximate }: Line): string {
  const passed = parts.elapsed(part, now);
  if (passed === null) return "–";
  return `${approximate ? "≈ " : ""}${duration(passed, isFinal(parts.status(part)))}`;
}

function job({ parts, part }: Line): ComponentChildren {
  const id = parts.id(part);
  if (!id)
    return <span class="qjob-unsent">{isFinal(parts.status(part)) ? "never sent" : "not sent yet"}</span>;
  return (
    <>
      <code>{id}</code>
      <CopyButton id={id} tabIndex={-1} />
    </>
  );
}

function queue({ parts, part }: Line): string {
  const position = parts.position(part);
  if (!position) return "–";
  return position >= POSITION_LIMIT ? `≥ ${POSITION_LIMIT}` : `${position}`;
}

const circuits = ({ parts, part }: Line): string => {
  const found = parts.circuits(part);
  return found ? range(found) : "–";
};
const reason = ({ parts, part }: Line): string => reasonText(parts.reason(part));

export const COLUMNS: Column[] = [
  { key: "index", title: "#", cell: ({ part }) => part },
  { key: "circuits", title: "Circuits", cell: circuits },
  { key: "job", title: "Job", cell: job, hint: ({ parts, part }) => parts.id(part) },
  {
    key: "state",
    title: "Status",
    cell: ({ parts, part }) => <span data-status={parts.status(part)}>{parts.word(part)}</span>,
    hint: ({ parts, part }) => parts.word(part),
  },
  { key: "queue", title: "Queue", cell: queue },
  { key: "elapsed", title: "Elapsed", cell: elapsed },
  { key: "try", title: "Try", cell: ({ parts, part }) => parts.attempt(part) || "–" },
  { key: "reason", title: "Reason", cell: reason, hint: reason },
];

/** Widths of the columns whose content tells them, in characters. */
export function widths(parts: Parts): Record<string, string> {
  const last = Math.max(0, parts.size - 1);
  const found = parts.circuits(last);
  return {
    "--qjob-index": `${Math.max(2, String(last).length)}ch`,
    "--qjob-circuits": `${Math.max(8, found ? range(found).length : 0)}ch`,
  };
}
