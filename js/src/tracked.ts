import { Component, type ComponentClass, type RefObject, type VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { effect, type Signal, signal } from "./signals";

/** Makes a component that is drawn again whenever a signal that it has read changes. */
export function tracked<Props>(draw: (props: Props) => VNode | null): ComponentClass<Props> {
  return class extends Component<Props> {
    #stop: (() => void) | undefined;

    render(): VNode | null {
      const { props } = this;
      this.#stop?.();
      let drawing: VNode | null | undefined;
      this.#stop = effect(() => {
        if (drawing === undefined) drawing = draw(props);
        else this.setState({});
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

/** Runs, and runs again whenever a signal that it has read changes, while the component lives. */
export const useSignalEffect = (run: () => unknown): void => useEffect(() => effect(run), []);

/** Width of an element's inside in pixels; 0 until it is known. */
export function useWidth(element: RefObject<Element | null>): Signal<number> {
  const width = useSignal(0);
  useEffect(() => {
    const found = element.current;
    if (!found) return;
    const observer = new ResizeObserver(() => {
      width.value = found.clientWidth;
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
  const queries = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) =>
    matchMedia(query),
  );
  for (const query of queries) query.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    for (const query of queries) query.removeEventListener("change", changed);
  };
}
