import { Fragment, h } from "preact";
import { useRef } from "preact/hooks";
import { Button } from "./button";
import { number } from "./format";
import { OWN_KEYS } from "./keys";
import { STATUSES, type Status, WORDS } from "./protocol";
import { useRoving } from "./roving";
import type { Store } from "./store";
import { tracked } from "./tracked";

/** All seven counts with their words, each a switch that limits the table to it; the shape before each is the
 * one of the strip. */
const Counts = tracked(({ store }: { store: Store }) => {
  const { reading } = store;
  const box = useRef<HTMLDivElement>(null);
  const roving = useRoving(box);
  const { counts } = store.summary.value;
  return (
    <div ref={box} class="qjob-counts" role="group" aria-label="Show only" {...roving}>
      {[...STATUSES].reverse().map((status) => (
        <button
          key={status}
          type="button"
          role="checkbox"
          class="qjob-button qjob-count"
          aria-checked={reading.statuses.value.has(status)}
          data-status={status}
          data-zero={counts[status] || reading.statuses.value.has(status) ? undefined : ""}
          {...OWN_KEYS}
          onClick={() => reading.toggleStatus(status)}
        >
          <Count status={status} count={counts[status]} /> {WORDS[status]}
        </button>
      ))}
    </div>
  );
}, true);

/** A count, as a plain number for whoever looks it up; large ones are shown in groups of digits. As text, since
 * Preact writes what counts as false each time anew. */
function Count({ status, count }: { status: Status; count: number }) {
  const large = count > 999;
  return (
    <>
      <b data-count={status} class={large ? "qjob-hidden" : undefined}>
        {String(count)}
      </b>
      {large && <b aria-hidden="true">{number(count)}</b>}
    </>
  );
}

/** What of the sub-jobs the table shows, and how many are selected. A single job has nothing to choose from; it
 * and a filter that makes `away` for a question still hold the counts, unseen. */
export const Filter = tracked(({ store, away }: { store: Store; away: boolean }) => {
  const { reading } = store;
  const selected = reading.chosen.value.length;
  const single = store.meta.value.total <= 1;
  const shown = reading.isFiltered.value ? reading.order.value.length : 0;
  return (
    <div class="qjob-filter" data-away={single || away ? "" : undefined}>
      {selected > 0 && (
        <Button kind="link" title="Select none" onPress={() => reading.selectNone()}>
          {number(selected)} selected ×
        </Button>
      )}
      <Counts store={store} />
      {!single && (
        <>
          {reading.isFiltered.value && (
            <Button kind="link" title="Show all" onPress={() => reading.showAll()}>
              {number(shown)} shown ×
            </Button>
          )}
          <input
            type="search"
            class="qjob-search"
            aria-label="Filter"
            placeholder="Filter…"
            title="Words that a row has to hold"
            value={reading.text.value}
            {...OWN_KEYS}
            onInput={({ currentTarget }) => {
              reading.text.value = currentTarget.value;
            }}
            onKeyDown={(event) => {
              if (event.key === "Escape") reading.text.value = "";
              event.stopPropagation();
            }}
          />
        </>
      )}
    </div>
  );
});
