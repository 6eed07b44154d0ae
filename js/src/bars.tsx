import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { clock } from "./format";
import { follow, OWN_KEYS } from "./keys";
import type { Store } from "./store";
import { type Inks, readInks } from "./strip_paint";
import { moved, paintBars, type Span, ticks, zoomed } from "./timeline";
import { onTheme, tracked, useSignal, useWidth } from "./tracked";
import { ROW } from "./window";

/** All of the axis, and the part of it that is shown. */
function axis(store: Store): { all: Span; span: Span } {
  const all = store.reading.all.value;
  return { all, span: store.reading.span.value ?? all };
}

/** Each step in or out. */
const ZOOM = 1.5;

/** The head of the timeline: moments, and the keys that lead along and into them. */
export const Axis = tracked(({ store }: { store: Store }) => {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const { all, span } = axis(store);
  const onKeyDown = (event: KeyboardEvent) => {
    const turns: Record<string, () => Span | null> = {
      "+": () => zoomed(span, all, 1 / ZOOM),
      "=": () => zoomed(span, all, 1 / ZOOM),
      "-": () => zoomed(span, all, ZOOM),
      "0": () => null,
      ArrowLeft: () => moved(span, all, -0.2),
      ArrowRight: () => moved(span, all, 0.2),
    };
    if (event.ctrlKey || event.metaKey) return;
    follow(event, turns, (turn) => {
      store.reading.span.value = turn();
    });
  };
  return (
    <div
      ref={box}
      class="qjob-axis"
      role="group"
      aria-label={`Timeline from ${clock(span.from, span.to)} to ${clock(span.to, span.to)}`}
      title="Keys: + − 0 and arrows; or the wheel"
      tabIndex={0}
      {...OWN_KEYS}
      onKeyDown={onKeyDown}
    >
      {ticks(span, width.value).map(({ at, text }) => (
        <span key={at} style={{ left: `${at * 100}%` }}>
          {text}
        </span>
      ))}
    </div>
  );
});

interface Props {
  store: Store;
  /** The parts that are drawn, and the place of the first in the table. */
  rows: Uint32Array;
  first: number;
}

/** The bars of the drawn rows: one canvas that lies over their empty cells. */
export const Bars = tracked(({ store, rows, first }: Props) => {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useSignal(0);
  const inks = useRef<{ theme: number; values: Inks } | null>(null);
  const parts = store.parts.value;
  const { all, span } = axis(store);
  const now = store.kernelNow.peek();
  const seen = theme.value;
  const place = () => canvas.current?.parentElement?.querySelector<HTMLElement>(".qjob-axis")?.parentElement;

  useEffect(() => onTheme(() => theme.value++), []);
  useEffect(() => {
    const element = canvas.current;
    const head = place();
    if (!element || !head) return;
    element.style.left = `${head.offsetLeft}px`;
    element.style.width = `${head.offsetWidth}px`;
    if (inks.current?.theme !== seen) inks.current = { theme: seen, values: readInks(element) };
    paintBars(element, parts, rows, span, head.offsetWidth, now, inks.current.values);
  });
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const wheel = (event: WheelEvent) => {
      const focused = place()?.querySelector(":focus");
      if (!(event.ctrlKey || event.metaKey || focused)) return;
      event.preventDefault();
      const { left, width } = element.getBoundingClientRect();
      const factor = event.deltaY > 0 ? ZOOM : 1 / ZOOM;
      store.reading.span.value = zoomed(span, all, factor, (event.clientX - left) / width);
    };
    // Registered by hand, since only a listener that is not passive can keep the page from scrolling.
    const box = element.parentElement;
    const over = (event: WheelEvent) => {
      const { left, right } = element.getBoundingClientRect();
      if (event.clientX >= left && event.clientX <= right) wheel(event);
    };
    box?.addEventListener("wheel", over, { passive: false });
    return () => box?.removeEventListener("wheel", over);
  });
  return (
    <canvas
      ref={canvas}
      class="qjob-bars"
      width={0}
      height={0}
      aria-hidden="true"
      style={{ top: `${(first + 1) * ROW}px`, height: `${rows.length * ROW}px` }}
    />
  );
});
