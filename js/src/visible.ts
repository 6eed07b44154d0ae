import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import type { Signal } from "./signals";
import { useSignal } from "./tracked";

/** Whether an element is in view, or nearly: what is not need not be drawn. */
export function useVisible(element: RefObject<Element | null>): Signal<boolean> {
  const visible = useSignal(true);
  useEffect(() => {
    if (!element.current) return;
    const observer = new IntersectionObserver(
      (entries) => {
        visible.value = entries.at(-1)?.isIntersecting ?? true;
      },
      { rootMargin: "200px" },
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return visible;
}
