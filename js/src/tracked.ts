import { Component, type ComponentClass, options, type RefObject, type VNode } from "preact";
import { useLayoutEffect, useMemo } from "preact/hooks";
import { effect, type ReadonlySignal, type Signal, signal } from "./signals";

let draw: (() => void) | undefined;

// Whatever changes within a frame is drawn once, in the next.
options.debounceRendering = (drawing) => {
  draw = drawing;
  requestAnimationFrame(drawing);
};

/** News of the kernel is drawn at once, after all that one message brings; a page that nobody sees rests. */
export const drawSoon = () => queueMicrotask(() => document.hidden || draw?.());

/** What all of a view is told by whoever draws it: whether it is in view. */
export interface Shown {
  visible?: ReadonlySignal<boolean>;
}

/** Milliseconds between two drawings of what has to be true also out of view. */
const RARELY = 1000;

/**
 * Makes a component that is drawn again whenever a signal that it has read, or a property, changes. Out of
 * view it waits until it is seen, or, where it has to be `true` always, is drawn rarely.
 */
export function tracked<Props extends object>(
  draw: (props: Props) => VNode | null,
  always = false,
): ComponentClass<Props> {
  return class extends Component<Props & Shown> {
    #stop: (() => void) | undefined;

    getChildContext(): Shown {
      return { visible: this.props.visible ?? this.context.visible };
    }

    shouldComponentUpdate(next: Props): boolean {
      return Object.entries(next).some(([name, value]) => value !== this.props[name as keyof Props]);
    }

    render(): VNode | null {
      const { props } = this;
      this.#stop?.();
      let drawing: VNode | null | undefined;
      this.#stop = effect(() => {
        if (drawing === undefined) drawing = draw(props);
        else if (this.context.visible?.value ?? true) this.forceUpdate();
        else if (always) {
          const timer = setTimeout(() => this.forceUpdate(), RARELY);
          return () => clearTimeout(timer);
        }
      });
      return drawing ?? null;
    }

    componentWillUnmount(): void {
      this.#stop?.();
    }
  };
}

/** What is made once for as long as the component lives. */
export const useOnce = <Value>(make: () => Value): Value => useMemo(make, []);

/** A signal of the component's own. */
export const useSignal = <Value>(value: Value): Signal<Value> => useOnce(() => signal(value));

/** Width of an element's inside in pixels; 0 until it is known. What it changes is drawn in the same frame. */
export function useWidth(element: RefObject<Element | null>): Signal<number> {
  const width = useSignal(0);
  useLayoutEffect(() => {
    const found = element.current;
    if (!found) return;
    const observer = new ResizeObserver(() => {
      width.value = found.clientWidth;
      drawSoon();
    });
    observer.observe(found);
    return () => observer.disconnect();
  }, []);
  return width;
}

/** Calls back at every change of the theme: the notebook's, the system's, or of the pixel density. */
export function onTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, { attributes: true });
  }
  const gone = new AbortController();
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"])
    matchMedia(query).addEventListener("change", changed, { signal: gone.signal });
  return () => {
    observer.disconnect();
    gone.abort();
  };
}
