import type { Signal } from "@preact/signals-core";
import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { countWords, range } from "./format";
import type { Parts } from "./parts";
import type { Store } from "./store";
import { corner, type Layout, layout, partAt } from "./strip_layout";
import { type Inks, paint, readInks } from "./strip_paint";
import { tracked, useSignal, useSignalEffect } from "./tracked";

const EMPTY: Layout = { columns: 1, width: 0, height: 0, across: 1, down: 1, total: 0 };

/** "#2 · circuits 20–29 · failed". */
function caption(parts: Parts, part: number): string {
  const circuits = parts.circuits(part);
  return [`#${part}`, circuits && `circuits ${range(circuits)}`, parts.word(part)]
    .filter(Boolean)
    .join(" · ");
}

/** Calls back at every change of the theme: the notebook's, the system's, or of the pixel density. */
function onTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, { attributes: true });
  }
  const queries = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) =>
    matchMedia(query),
  );
  for (const query of queries) query.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    for (const query of queries) query.removeEventListener("change", changed);
  };
}

/** One cell a part, in index order; pointing at one names it, clicking leads to its row. */
export const Strip = tracked(({ store, visible }: { store: Store; visible: Signal<boolean> }) => {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useSignal(0);
  const theme = useSignal(0);
  const hovered = useSignal(-1);
  const place = useSignal(EMPTY);
  const inks = useRef<{ theme: number; values: Inks } | null>(null);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const resized = new ResizeObserver(() => {
      width.value = element.clientWidth;
    });
    resized.observe(element);
    const stop = onTheme(() => theme.value++);
    return () => {
      resized.disconnect();
      stop();
    };
  }, []);
  useSignalEffect(() => {
    if (width.value > 0) place.value = layout(store.parts.value.size, width.value);
  });
  useSignalEffect(() => {
    if (!visible.value || place.value.total === 0) return;
    const parts = store.parts.value;
    const seen = theme.value;
    const frame = requestAnimationFrame(() => {
      if (!canvas.current) return;
      if (inks.current?.theme !== seen) inks.current = { theme: seen, values: readInks(canvas.current) };
      paint(canvas.current, parts, place.peek(), inks.current.values);
    });
    return () => cancelAnimationFrame(frame);
  });

  const find = (event: PointerEvent | MouseEvent) =>
    partAt(event.offsetX, event.offsetY, store.parts.peek().size, place.peek());
  const click = (event: MouseEvent) => {
    const part = find(event);
    if (part >= 0) store.active.value = { part };
  };
  return (
    <div class="qjob-strip" ref={box} style={{ height: `${place.value.total}px` }}>
      <canvas
        ref={canvas}
        width={0}
        height={0}
        role="img"
        aria-label={`Sub-jobs in order: ${countWords(store.summary.value.counts)}`}
        onPointerMove={(event) => {
          hovered.value = find(event);
        }}
        onPointerLeave={() => {
          hovered.value = -1;
        }}
        onClick={click}
      />
      <Marker part={store.active.value.part} place={place.value} store={store} />
      <Marker part={hovered.value} place={place.value} store={store} named />
    </div>
  );
});

interface MarkerProps {
  part: number;
  place: Layout;
  store: Store;
  named?: boolean;
}

/** The frame around a cell; with its name where the pointer is. */
const Marker = tracked(({ part, place, store, named }: MarkerProps) => {
  const parts = store.parts.value;
  if (part < 0 || part >= parts.size || place.total === 0) return null;
  const { x, y } = corner(part, place);
  const right = x > (place.columns * place.across) / 2;
  return (
    <div
      class="qjob-marker"
      style={{ left: `${x}px`, top: `${y}px`, width: `${place.width}px`, height: `${place.height}px` }}
      aria-hidden="true"
    >
      {named && (
        <span class={right ? "qjob-caption qjob-right" : "qjob-caption"}>{caption(parts, part)}</span>
      )}
    </div>
  );
});
