import type { Signal } from "@preact/signals-core";
import { h } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { COLUMNS, type Line, widths } from "./columns";
import { copy } from "./copy";
import type { Parts } from "./parts";
import type { Store } from "./store";
import { tracked, useSignal, useSignalEffect } from "./tracked";
import { drawn, ROW, reveal, step } from "./window";

interface Props {
  store: Store;
  visible: Signal<boolean>;
  /** Begins the ids of the rows; differs between views. */
  prefix: string;
}

function Row({
  line,
  id,
  active,
  onPress,
}: {
  line: Line;
  id: string;
  active: boolean;
  onPress: () => void;
}) {
  const { parts, part } = line;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid has the keys
    <div
      id={id}
      class="qjob-row"
      role="row"
      aria-rowindex={part + 2}
      aria-selected={active}
      data-job-id={parts.id(part)}
      data-status={parts.status(part)}
      style={{ top: `${part * ROW}px` }}
      onClick={onPress}
    >
      {COLUMNS.map(({ key, cell, hint }) => (
        <div key={key} role="gridcell" class={`qjob-cell qjob-${key}`} title={hint?.(line) || undefined}>
          {cell(line)}
        </div>
      ))}
    </div>
  );
}

/** The sub-jobs as a table; of thousands only the rows in sight exist. Focus stays on the grid as a whole. */
export const Table = tracked(({ store, visible, prefix }: Props) => {
  const grid = useRef<HTMLDivElement>(null);
  const scrollTop = useSignal(store.scrollTop);
  const last = useRef<Parts>(store.parts.peek());
  // Out of view the signals are not read, so nothing is drawn again until the table is back.
  if (visible.value) last.current = store.parts.value;
  const parts = last.current;
  const now = visible.value ? store.kernelNow.value : store.kernelNow.peek();
  const { approximate } = store.summary.value;
  const active = Math.min(store.active.value.part, parts.size - 1);
  const { first, end } = drawn(scrollTop.value, parts.size);
  const rows = Array.from({ length: end - first }, (_, index) => first + index);
  const point = (part: number) => {
    store.active.value = { part };
  };

  useLayoutEffect(() => {
    if (grid.current) grid.current.scrollTop = store.scrollTop;
  }, []);
  useSignalEffect(() => {
    const { part } = store.active.value;
    const element = grid.current;
    if (part >= 0 && element) element.scrollTop = reveal(part, element.scrollTop, element.clientHeight);
  });

  const onScroll = () => {
    scrollTop.value = store.scrollTop = grid.current?.scrollTop ?? 0;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const target = step(event.key, active, parts.size);
    const id = event.key === "Enter" && event.target === grid.current ? parts.id(active) : "";
    if (target === null && !id) return;
    event.preventDefault();
    event.stopPropagation();
    if (target === null) copy(id);
    else point(target);
  };
  return (
    <div
      ref={grid}
      class="qjob-grid"
      role="grid"
      aria-label="Sub-jobs"
      aria-rowcount={parts.size + 1}
      aria-colcount={COLUMNS.length}
      aria-activedescendant={active >= first && active < end ? `${prefix}-${active}` : undefined}
      tabIndex={0}
      data-lm-suppress-shortcuts="true"
      style={widths(parts)}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <div role="row" aria-rowindex={1} class="qjob-row qjob-head">
        {COLUMNS.map(({ key, title }) => (
          <div key={key} role="columnheader" class={`qjob-cell qjob-${key}`}>
            {title}
          </div>
        ))}
      </div>
      <div role="rowgroup" class="qjob-rows" style={{ height: `${parts.size * ROW}px` }}>
        {rows.map((part) => (
          <Row
            key={part}
            id={`${prefix}-${part}`}
            line={{ parts, part, now, approximate }}
            active={part === active}
            onPress={() => point(part)}
          />
        ))}
      </div>
    </div>
  );
});
