import { type ComponentChildren, Fragment, h } from "preact";
import { segments } from "./bar";
import { Button } from "./button";
import { any, COLUMNS, type Column, type Line } from "./columns";
import { CopyButton } from "./copy";
import { clock, countWords, number, range } from "./format";
import type { JobsMeta } from "./jobs_protocol";
import type { JobsStore } from "./jobs_store";
import { obstacle } from "./obstacle";
import type { Parts } from "./parts";
import type { Operation } from "./protocol";
import type { Signal } from "./signals";
import { tracked } from "./tracked";

/** A column of jobs; what it says of a sub-job, where that is something else. */
export interface JobColumn extends Column {
  sub?: (line: Line) => ComponentChildren;
}

/** What goes first where there is no room. */
export const LESS_WANTED = [
  "usage",
  "job",
  "reason",
  "backend",
  "queue",
  "created",
  "tags",
  "elapsed",
  "progress",
];

const LETTER = 7.6;
const nothing = () => null;
const told = ({ meta }: Parts) => meta as JobsMeta;

/** A column that says the same of jobs as of sub-jobs. */
const shared = (key: string): JobColumn[] => COLUMNS.filter((column) => column.key === key);

/** Which sub-job it is: "#3 · ising θ = 0.5". */
const which = ({ parts, part }: Line): string => [`#${part}`, parts.label(part)].filter(Boolean).join(" · ");

function circuits({ parts, part }: Line): string {
  const found = parts.circuits(part);
  return found ? `circuit${found.first === found.last ? "" : "s"} ${range(found)}` : "";
}

function created({ parts, part, now }: Line): string {
  const time = parts.time(part, "created");
  return time === null ? "–" : clock(time, now);
}

/** In the order of the table. */
export const jobColumns = (store: JobsStore, asking: Signal<boolean>): JobColumn[] => [
  {
    key: "name",
    title: "Job",
    cell: (line) => <Name store={store} line={line} asking={asking} />,
    hint: ({ parts, part }) => parts.label(part) || parts.id(part),
    sub: which,
    width: () => [190, 190],
    grows: 3,
  },
  ...shared("state"),
  {
    key: "progress",
    title: "Sub-jobs",
    cell: ({ parts, part }) => told(parts).composites[part] && <Progress store={store} row={part} />,
    hint: ({ parts, part }) => (told(parts).composites[part] ? countWords(store.countsOf(part)) : ""),
    sub: circuits,
    width: () => [120, 150],
    tells: (parts) => told(parts).composites.includes(true),
  },
  {
    key: "backend",
    title: "Backend",
    cell: ({ parts, part }) => told(parts).backends[part],
    hint: ({ parts, part }) => told(parts).backends[part] ?? "",
    sub: nothing,
    width: () => [100, 110],
    // Where all have the same it stands in the headline.
    tells: (parts) => !parts.meta.backend && told(parts).backends.some(Boolean),
  },
  ...shared("queue"),
  {
    key: "created",
    title: "Created",
    cell: created,
    width: ({ meta }) => {
      const wide = (clock(meta.created, Date.now()).length + 2) * LETTER;
      return [wide, wide];
    },
  },
  ...shared("elapsed"),
  ...shared("usage"),
  {
    key: "tags",
    title: "Tags",
    cell: ({ part }) => <Chips store={store} row={part} />,
    hint: ({ part }) => store.tagsOf(part).join(", "),
    sub: nothing,
    width: () => [110, 180],
    tells: any((_, part) => store.tagsOf(part).length > 0),
  },
  // A job without a name is called by its id.
  ...shared("job").map((column) => ({
    ...column,
    title: "Job id",
    tells: ({ meta }: Parts) => Boolean(meta.labels?.some(Boolean)),
  })),
  ...shared("reason"),
];

interface Props {
  store: JobsStore;
  line: Line;
  /** Whether the question of Cancel stands. */
  asking: Signal<boolean>;
}

/** What opens it, if it has sub-jobs, its name, and what can be done with it. */
function Name({ store, line, asking }: Props) {
  const { parts, part } = line;
  const open = store.opened.value.has(part);
  const why = open || store.isTold(part) ? "" : obstacle(store, "refresh");
  const name = parts.label(part);
  return (
    <>
      {told(parts).composites[part] && (
        <Button
          kind="open"
          label={`Sub-jobs of ${name || parts.id(part)}`}
          expanded={open}
          disabled={why !== ""}
          title={why || undefined}
          tabIndex={-1}
          onPress={() => store.expand(part, !open)}
        />
      )}
      {name ? <span class="qjob-label">{name}</span> : shared("job").map(({ cell }) => cell(line))}
      <Acts store={store} line={line} asking={asking} />
    </>
  );
}

/** What can be done with one job, while it is pointed at; keys do the same. */
const Acts = tracked(({ store, line: { parts, part }, asking }: Props) => {
  const can = (operation: Operation) => !store.deaf.value && told(parts).cans[part]?.includes(operation);
  const about = { rows: [part] };
  const called = store.named(about.rows);
  return (
    <span class="qjob-acts">
      {can("rerun") && parts.isRerunnable(part) && (
        <Button
          kind="link"
          label={`Rerun failed of ${called}`}
          pending={store.commands.isPending("rerun", about)}
          tabIndex={-1}
          onPress={() => store.commands.send("rerun", about)}
        >
          Rerun
        </Button>
      )}
      {can("cancel") && parts.isOpen(part) && (
        <Button
          kind="link"
          label={`Cancel ${called}`}
          tabIndex={-1}
          onPress={() => {
            store.reading.selected.value = new Set(about.rows);
            asking.value = true;
          }}
        >
          Cancel
        </Button>
      )}
      {parts.label(part) && <CopyButton text={parts.id(part)} what="job id" tabIndex={-1} />}
    </span>
  );
});

/** A small bar of its sub-jobs, and how many are done. */
function Progress({ store, row }: { store: JobsStore; row: number }) {
  const counts = store.countsOf(row);
  return (
    <>
      <span class="qjob-bar" aria-hidden="true">
        {segments(counts)}
      </span>
      {number(counts.DONE)} of {number(store.meta.value.totals[row] ?? 0)}
    </>
  );
}

/** Its tags; a click limits the table to one of them. */
function Chips({ store, row }: { store: JobsStore; row: number }) {
  const { tag } = store.reading;
  return (
    <>
      {store.tagsOf(row).map((each) => (
        <Button
          key={each}
          kind="tag"
          pressed={tag.value === each}
          title={`Show only jobs with the tag ${each}`}
          tabIndex={-1}
          onPress={() => {
            tag.value = tag.value === each ? "" : each;
          }}
        >
          {each}
        </Button>
      ))}
    </>
  );
}
