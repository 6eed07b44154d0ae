import { type Signal, signal } from "./signals";

/** Whether an element is in view, or nearly, until `gone`: what is not need not be drawn. */
export function visibility(element: Element, gone: AbortSignal): Signal<boolean> {
  const visible = signal(true);
  const observer = new IntersectionObserver(
    (entries) => {
      // Who has the keyboard there is told what it does.
      visible.value = !!entries.at(-1)?.isIntersecting || element.matches(":focus-within");
    },
    { rootMargin: "200px" },
  );
  observer.observe(element);
  gone.addEventListener("abort", () => observer.disconnect());
  return visible;
}
