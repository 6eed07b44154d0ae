import { h } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Card, sentence } from "./card";
import { countWords } from "./format";
import { OWN_KEYS, taken } from "./keys";
import { computed } from "./signals";
import type { Store } from "./store";
import { corner, type Layout, layout, partAt } from "./strip_layout";
import { type Inks, paint, readInks } from "./strip_paint";
import { onTheme, tracked, useOnce, useSignal, useWidth } from "./tracked";
import { step } from "./window";

interface Props {
  store: Store;
  prefix: string;
}

/**
 * One cell a part, in index order. To a screen reader it is a list of which the option under the cursor is
 * told; pointing or moving there shows its card, a click or Enter leads to its row.
 */
export const Strip = tracked(({ store, prefix }: Props) => {
  const { reading } = store;
  // Its height stays, whatever that of the strip becomes.
  const ruler = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(ruler);
  const theme = useSignal(0);
  const hovered = useSignal(-1);
  /** The cell that the keyboard is on, and whether it is here at all. */
  const cursor = useSignal(0);
  const focused = useSignal(false);
  const place = useOnce(() => computed(() => layout(store.parts.value.size, width.value || 900)));
  const inks = useRef<{ theme: number; values: Inks } | null>(null);

  useEffect(() => onTheme(() => theme.value++), []);
  const parts = store.parts.value;
  const [known, seen, where] = [width.value > 0, theme.value, place.value];
  useLayoutEffect(() => {
    if (!canvas.current || !known) return;
    if (inks.current?.theme !== seen) inks.current = { theme: seen, values: readInks(canvas.current) };
    paint(canvas.current, parts, where, inks.current.values);
  }, [parts, known, seen, where]);

  const at = Math.min(cursor.value, parts.size - 1);
  const told = hovered.value >= 0 ? hovered.value : focused.value ? at : -1;
  const find = (event: PointerEvent | MouseEvent) =>
    partAt(event.offsetX, event.offsetY, parts.size, place.peek());
  // Keys come faster than frames: what they start from is read, not remembered from the last drawing.
  const onKeyDown = (event: KeyboardEvent) => {
    const at = Math.min(cursor.value, parts.size - 1);
    const target = step(event.key, at, parts.size, Math.max(2, place.peek().columns));
    if (target !== null) cursor.value = target;
    else if (event.key === "Enter") reading.show(at);
    else if (event.key === " ") reading.press(at, { ctrlKey: true });
    else if (event.key === "Escape" && focused.value) focused.value = false;
    else return;
    if (event.key !== "Escape") focused.value = true;
    taken(event);
  };
  const onClick = (event: MouseEvent) => {
    const part = find(event);
    if (part < 0) return;
    cursor.value = part;
    reading.show(part);
  };
  return (
    <div
      class="qjob-strip"
      role="listbox"
      aria-label={`Sub-jobs in order: ${countWords(store.summary.value.counts)}`}
      aria-activedescendant={`${prefix}-cell`}
      tabIndex={0}
      {...OWN_KEYS}
      style={{ height: `${place.value.total}px` }}
      onKeyDown={onKeyDown}
      onFocus={({ currentTarget }) => {
        focused.value = currentTarget.matches(":focus-visible");
      }}
      onBlur={() => {
        focused.value = false;
      }}
      onPointerLeave={() => {
        hovered.value = -1;
      }}
    >
      <div
        ref={ruler}
        id={`${prefix}-cell`}
        class="qjob-hidden"
        role="option"
        aria-selected={reading.selected.value.has(at)}
        aria-posinset={at + 1}
        aria-setsize={parts.size}
      >
        {at >= 0 && sentence(parts, at, store.kernelNow.peek())}
      </div>
      <canvas
        ref={canvas}
        width={0}
        height={0}
        aria-hidden="true"
        onPointerMove={(event) => {
          hovered.value = find(event);
        }}
        onClick={onClick}
      />
      <Frame part={reading.active.value.part} place={place.value} size={parts.size} />
      <Frame part={told} place={place.value} size={parts.size} />
      {told >= 0 && told < parts.size && <Card key={told} store={store} part={told} place={place.value} />}
    </div>
  );
});

/** The frame around a cell. */
function Frame({ part, place, size }: { part: number; place: Layout; size: number }) {
  if (part < 0 || part >= size) return null;
  const { x, y } = corner(part, place);
  return (
    <div
      class="qjob-marker"
      style={{ left: `${x}px`, top: `${y}px`, width: `${place.width}px`, height: `${place.height}px` }}
      aria-hidden="true"
    />
  );
}
