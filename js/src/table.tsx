import { h } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Axis, Bars } from "./bars";
import { COLUMNS, type Column, fit, type Line, telling } from "./columns";
import { copy } from "./copy";
import { number } from "./format";
import { OWN_KEYS, taken } from "./keys";
import type { Press } from "./reading";
import { computed } from "./signals";
import type { Store } from "./store";
import { tracked, useOnce, useSignal, useWidth } from "./tracked";
import { drawn, ROW, reveal, step } from "./window";

interface Props {
  store: Store;
  /** Begins the ids of the rows; differs between views. */
  prefix: string;
}

interface RowProps {
  line: Line;
  columns: Column[];
  /** Its place in the table, from 0. */
  place: number;
  id: string;
  active: boolean;
  selected: boolean;
  onPress: (press: Press) => void;
}

function Row({ line, columns, place, id, active, selected, onPress }: RowProps) {
  const { parts, part } = line;
  return (
    <div
      id={id}
      class="qjob-row"
      role="row"
      aria-rowindex={place + 2}
      aria-selected={selected}
      data-active={active ? "" : undefined}
      data-job-id={parts.id(part)}
      data-status={parts.status(part)}
      style={{ top: `${place * ROW}px` }}
      onClick={(event) => {
        if (!(event.target as Element).closest("button")) onPress(event);
      }}
    >
      {columns.map(({ key, cell, hint }) => (
        <div key={key} role="gridcell" class={`qjob-cell qjob-${key}`} title={hint?.(line) || undefined}>
          {cell(line) || null}
          {key === "timeline" && <span class="qjob-hidden">{hint?.(line) || null}</span>}
        </div>
      ))}
    </div>
  );
}

/**
 * The sub-jobs as a table; of thousands only the rows in sight exist. Focus stays on the grid as a whole: the
 * keys lead over rows and, above the first, over the heads of the columns.
 */
export const Table = tracked(({ store, prefix }: Props) => {
  const { reading } = store;
  const grid = useRef<HTMLDivElement>(null);
  const width = useWidth(grid);
  const scrollTop = useSignal(reading.scrollTop);
  /** The column whose head the keyboard is on; -1 = it is on a row. */
  const head = useSignal(-1);
  const columns = useOnce(() =>
    computed(() => telling(store.parts.value, reading.timeline.value !== false, COLUMNS)),
  );
  const parts = store.parts.value;
  const order = reading.order.value;
  const now = store.kernelNow.value;
  const { approximate } = store.summary.value;
  const optional = reading.timeline.value === null;
  const { shown: fitting, template } = fit(columns.value, parts, width.value || 900, undefined, optional);
  const charted = fitting.some(({ key }) => key === "timeline");
  const pointed = reading.active.value;
  const active = order.indexOf(pointed.part);
  const { first, end } = drawn(scrollTop.value, order.length);
  const rows = order.subarray(first, end);
  const selected = reading.selected.value;
  const { key: sorted, down } = reading.sort.value;
  const marked = head.value >= 0 ? `${prefix}-h${head.value}` : `${prefix}-${order[active]}`;

  useLayoutEffect(() => {
    if (grid.current && reading.scrollTop) grid.current.scrollTop = reading.scrollTop;
  }, []);
  useLayoutEffect(() => {
    reading.charted.value = charted;
  }, [charted]);
  const seen = useRef(pointed);
  // After drawing, since a row that was filtered out has no place to scroll to before.
  useLayoutEffect(() => {
    const place = seen.current === pointed ? -1 : reading.order.peek().indexOf(pointed.part);
    const element = grid.current;
    seen.current = pointed;
    if (place >= 0 && element) element.scrollTop = reveal(place, element.scrollTop, element.clientHeight);
  }, [pointed]);

  const onScroll = () => {
    scrollTop.value = reading.scrollTop = grid.current?.scrollTop ?? 0;
  };
  const point = (place: number) => {
    head.value = -1;
    reading.point(reading.order.peek()[place] ?? -1);
  };
  const onHead = (key: string): boolean => {
    const column = fitting[head.value];
    if (key === "ArrowDown") point(Math.max(0, first));
    else if (key === "ArrowRight") head.value = Math.min(fitting.length - 1, head.value + 1);
    else if (key === "ArrowLeft") head.value = Math.max(0, head.value - 1);
    else if (key === "Enter" || key === " ") column && reading.sortBy(column.key);
    else return false;
    return true;
  };
  // Keys come faster than frames: what they start from is read, not remembered from the last drawing.
  const onRows = (event: KeyboardEvent): boolean => {
    const { key, shiftKey } = event;
    const order = reading.order.peek();
    const selected = reading.selected.peek();
    const active = order.indexOf(reading.active.peek().part);
    const part = order[active] ?? -1;
    const target = step(key, active, order.length);
    if (key === "ArrowUp" && active <= 0) head.value = 0;
    else if (target !== null && shiftKey) {
      if (selected.size === 0 && part >= 0) reading.press(part);
      reading.press(order[target] ?? 0, { shiftKey });
    } else if (target !== null) point(target);
    else if (key === " " && part >= 0) reading.press(part, { ctrlKey: true });
    else if (key === "a" && (event.ctrlKey || event.metaKey)) reading.selectAll();
    else if (key === "Escape" && selected.size) reading.selectNone();
    else if (key === "Enter" && parts.id(part)) copy(parts.id(part));
    else return false;
    return true;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== grid.current) return;
    if (!(head.value >= 0 ? onHead(event.key) : onRows(event))) return;
    taken(event);
  };
  return (
    <div
      ref={grid}
      class="qjob-grid"
      role="grid"
      aria-label="Sub-jobs"
      aria-rowcount={order.length + 1}
      aria-multiselectable="true"
      aria-activedescendant={head.value >= 0 || (active >= first && active < end) ? marked : undefined}
      tabIndex={0}
      {...OWN_KEYS}
      style={{ "--qjob-columns": template }}
      onScroll={onScroll}
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
            onClick={() => key !== "timeline" && reading.sortBy(key)}
          >
            {key === "timeline" ? <Axis store={store} /> : title}
          </div>
        ))}
      </div>
      <div role="rowgroup" class="qjob-rows" style={{ height: `${Math.max(1, order.length) * ROW}px` }}>
        {Array.from(rows, (part, at) => (
          <Row
            key={part}
            id={`${prefix}-${part}`}
            line={{ parts, part, now, approximate }}
            columns={fitting}
            place={first + at}
            active={head.value < 0 && first + at === active}
            selected={selected.has(part)}
            onPress={(press) => {
              grid.current?.focus({ preventScroll: true });
              reading.press(part, press);
            }}
          />
        ))}
        {order.length === 0 && (
          <div role="row" class="qjob-row">
            <div role="gridcell" class="qjob-none">
              {parts.size ? `None of the ${number(parts.size)} sub-jobs match.` : "No sub-jobs yet."}
            </div>
          </div>
        )}
      </div>
      {charted && <Bars store={store} rows={rows} first={first} />}
    </div>
  );
});
