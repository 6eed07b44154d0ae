import { h } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { fit, type Line, telling } from "./columns";
import { CopyButton, copy } from "./copy";
import { JOB, type Lines, placeOf, REST } from "./details";
import { number } from "./format";
import { type JobColumn, jobColumns, LESS_WANTED } from "./jobs_columns";
import type { JobsStore } from "./jobs_store";
import { OWN_KEYS, taken } from "./keys";
import { obstacle } from "./obstacle";
import { computed, type Signal } from "./signals";
import { tracked, useOnce, useSignal, useWidth } from "./tracked";
import { drawn, ROW, reveal, step } from "./window";

interface Props {
  store: JobsStore;
  /** Whether the question of Cancel stands. */
  asking: Signal<boolean>;
  /** Begins the ids of the rows; differs between views. */
  prefix: string;
}

/** What an empty table says. */
function nothing({ meta, reading }: JobsStore): string {
  const { total, query } = meta.value;
  if (total > 0) return `None of the ${number(total)} jobs match.`;
  if (query) return "No job matches yet. New ones appear here.";
  return reading.isFiltered.value ? "No job matches." : "No jobs yet.";
}

/** The last line of an open job: what is not shown, or that it is on its way. */
function Rest({ store, job }: { store: JobsStore; job: number }) {
  const found = store.opened.value.get(job);
  if (!found)
    return <span class="qjob-unsent">{obstacle(store, "refresh") || "Its sub-jobs are asked for…"}</span>;
  const command = `%qjob_monitor ${store.meta.value.ids[job]}`;
  return (
    <span class="qjob-rest">
      and {number(found.more)} more: open its panel with <code>{command}</code>
      <CopyButton text={command} what="this command" tabIndex={-1} />
    </span>
  );
}

/**
 * The jobs as a table whose rows open; of thousands only the lines in sight exist. Focus stays on the grid as
 * a whole: the keys lead over lines and, above the first, over the heads of the columns.
 */
export const JobsTable = tracked(({ store, asking, prefix }: Props) => {
  const { reading } = store;
  const grid = useRef<HTMLDivElement>(null);
  const width = useWidth(grid);
  const scrollTop = useSignal(reading.scrollTop);
  /** The column whose head the keyboard is on; -1 = it is on a line. */
  const head = useSignal(-1);
  const all = useOnce(() => jobColumns(store, asking));
  const columns = useOnce(() => computed(() => telling(store.parts.value, false, all)));
  const parts = store.parts.value;
  const lines = store.lines.value;
  const now = store.kernelNow.value;
  const { approximate } = store.summary.value;
  const { shown: fitting, template } = fit(columns.value, parts, width.value || 900, LESS_WANTED);
  const size = lines.jobs.length;
  const pointed = reading.spot.value;
  const active = placeOf(lines, pointed);
  const { first, end } = drawn(scrollTop.value, size);
  const { key: sorted, down } = reading.sort.value;
  const idOf = (place: number) => `${prefix}-${lines.jobs[place]}-${lines.subs[place]}`;
  const marked = head.value >= 0 ? `${prefix}-h${head.value}` : idOf(active);

  useAnchor(grid, lines, down ? `-${sorted}` : sorted);
  useLayoutEffect(() => {
    if (grid.current && reading.scrollTop) grid.current.scrollTop = reading.scrollTop;
  }, []);
  const seen = useRef(pointed);
  // After drawing, since a row that was filtered out has no place to scroll to before.
  useLayoutEffect(() => {
    const place = seen.current === pointed ? -1 : placeOf(store.lines.peek(), pointed);
    const element = grid.current;
    seen.current = pointed;
    if (place >= 0 && element) element.scrollTop = reveal(place, element.scrollTop, element.clientHeight);
  }, [pointed]);

  const onHead = (key: string): boolean => {
    const column = fitting[head.value];
    if (key === "ArrowDown") {
      head.value = -1;
      reading.go({ job: lines.jobs[first] ?? -1, sub: lines.subs[first] ?? JOB });
    } else if (key === "ArrowRight") head.value = Math.min(fitting.length - 1, head.value + 1);
    else if (key === "ArrowLeft") head.value = Math.max(0, head.value - 1);
    else if (key === "Enter" || key === " ") column && reading.sortBy(column.key);
    else return false;
    return true;
  };
  // Keys come faster than frames: what they start from is read, not remembered from the last drawing.
  const onLines = ({ key, shiftKey, ctrlKey, metaKey }: KeyboardEvent): boolean => {
    const { jobs, subs } = store.lines.peek();
    const order = reading.order.peek();
    const selected = reading.selected.peek();
    const place = placeOf({ jobs, subs }, reading.spot.peek());
    const [job, sub] = [jobs[place] ?? -1, subs[place] ?? JOB];
    const target = step(key, place, jobs.length);
    const composite = job >= 0 && store.meta.peek().composites[job];
    const open = store.opened.peek();
    if (key === "ArrowUp" && place <= 0) head.value = 0;
    else if (target !== null && shiftKey) {
      if (selected.size === 0 && job >= 0) reading.press(job);
      reading.press(order[step(key, order.indexOf(job), order.length) ?? 0] ?? 0, { shiftKey });
    } else if (target !== null) reading.go({ job: jobs[target] ?? -1, sub: subs[target] ?? JOB });
    else if (key === "ArrowRight" && composite && !open.has(job)) store.expand(job, true);
    else if (key === "ArrowLeft" && sub !== JOB) reading.point(job);
    else if (key === "ArrowLeft" && open.has(job)) store.expand(job, false);
    else if (key === " " && job >= 0) reading.press(job, { ctrlKey: true });
    else if (key === "a" && (ctrlKey || metaKey)) reading.selectAll();
    else if (key === "Escape" && selected.size) reading.selectNone();
    else if (key === "Enter" && sub === JOB && composite) store.expand(job, !open.has(job));
    else if (key === "Enter" && job >= 0) {
      const id = sub === JOB ? parts.id(job) : open.get(job)?.parts.id(sub);
      if (id) copy(id);
    } else if (key === "Delete" && job >= 0 && parts.isOpen(job) && !store.deaf.peek()) {
      if (!selected.has(job)) reading.press(job);
      asking.value = true;
    } else return false;
    return true;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== grid.current) return;
    if (head.value >= 0 ? onHead(event.key) : onLines(event)) taken(event);
  };
  const line = (place: number) => {
    const [job, sub] = [lines.jobs[place] ?? 0, lines.subs[place] ?? JOB];
    const found = sub === JOB ? { parts } : store.opened.value.get(job);
    const part = sub === JOB ? job : sub;
    const said: Line | null = found && sub !== REST ? { parts: found.parts, part, now, approximate } : null;
    const composite = sub === JOB && store.meta.value.composites[job];
    return (
      <div
        key={`${job}-${sub}`}
        id={idOf(place)}
        class="qjob-row"
        role="row"
        aria-rowindex={place + 2}
        aria-level={sub === JOB ? 1 : 2}
        aria-expanded={composite ? store.opened.value.has(job) : undefined}
        aria-selected={sub === JOB ? reading.selected.value.has(job) : undefined}
        data-active={head.value < 0 && place === active ? "" : undefined}
        data-new={sub === JOB && job >= store.old.value ? "" : undefined}
        data-job-id={said?.parts.id(part)}
        data-status={said?.parts.status(part)}
        style={{ top: `${place * ROW}px` }}
        onClick={(event) => {
          if ((event.target as Element).closest("button")) return;
          head.value = -1;
          grid.current?.focus({ preventScroll: true });
          if (sub === JOB) reading.press(job, event);
          else reading.go({ job, sub });
        }}
        onDblClick={() => composite && store.expand(job, !store.opened.peek().has(job))}
      >
        {said ? (
          fitting.map((column) => <Cell key={column.key} column={column} line={said} of={sub} />)
        ) : (
          <div role="gridcell" class="qjob-none">
            <Rest store={store} job={job} />
          </div>
        )}
      </div>
    );
  };
  return (
    <div
      ref={grid}
      class="qjob-grid"
      role="treegrid"
      aria-label="Jobs"
      aria-rowcount={size + 1}
      aria-colcount={fitting.length}
      aria-multiselectable="true"
      aria-activedescendant={head.value >= 0 || (active >= first && active < end) ? marked : undefined}
      tabIndex={0}
      {...OWN_KEYS}
      style={{ "--qjob-columns": template }}
      onScroll={() => {
        scrollTop.value = reading.scrollTop = grid.current?.scrollTop ?? 0;
      }}
      onKeyDown={onKeyDown}
      onBlur={() => {
        head.value = -1;
      }}
    >
      <div role="row" aria-rowindex={1} class="qjob-row qjob-head">
        {fitting.map(({ key, title }, at) => (
          <div
            key={key}
            id={`${prefix}-h${at}`}
            role="columnheader"
            class={`qjob-cell qjob-${key}`}
            aria-sort={key === sorted ? (down ? "descending" : "ascending") : undefined}
            data-active={head.value === at ? "" : undefined}
            onClick={() => reading.sortBy(key)}
          >
            {title}
          </div>
        ))}
      </div>
      <div role="rowgroup" class="qjob-rows" style={{ height: `${Math.max(1, size) * ROW}px` }}>
        {Array.from({ length: end - first }, (_, at) => line(first + at))}
        {size === 0 && (
          <div role="row" class="qjob-row">
            <div role="gridcell" class="qjob-none">
              {nothing(store)}
            </div>
          </div>
        )}
      </div>
    </div>
  );
});

/** One cell, of a job or of a sub-job. */
function Cell({ column, line, of }: { column: JobColumn; line: Line; of: number }) {
  const { key, cell, hint, sub } = column;
  const told = of === JOB ? hint?.(line) : sub ? "" : hint?.(line);
  return (
    <div role="gridcell" class={`qjob-cell qjob-${key}`} title={told || undefined}>
      {of === JOB ? cell(line) : (sub ?? cell)(line)}
    </div>
  );
}

/** Keeps the line on top where it is when lines come or go above it; not when they were sorted anew. */
function useAnchor(grid: { current: HTMLElement | null }, lines: Lines, sort: string): void {
  const before = useRef({ lines, sort });
  useLayoutEffect(() => {
    const old = before.current;
    const element = grid.current;
    before.current = { lines, sort };
    if (!element?.scrollTop || old.sort !== sort || old.lines.jobs.length === lines.jobs.length) return;
    const top = Math.floor(element.scrollTop / ROW);
    const place = placeOf(lines, { job: old.lines.jobs[top] ?? -1, sub: old.lines.subs[top] ?? JOB });
    if (place >= 0) element.scrollTop += (place - top) * ROW;
  }, [lines]);
}
