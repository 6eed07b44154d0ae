import { type Signal, signal } from "./signals";

/**
 * Whether an element is in view, or nearly, until `gone`: what is not need not be drawn, by us or by the browser,
 * which keeps its height free meanwhile. In view cards and menus may reach beyond it.
 */
export function visibility(element: HTMLElement, gone: AbortSignal): Signal<boolean> {
  const visible = signal(true);
  const observer = new IntersectionObserver(
    (entries) => {
      const { isIntersecting, boundingClientRect } = entries.at(-1) as IntersectionObserverEntry;
      const { height } = boundingClientRect;
      // Who has the keyboard there is told what it does.
      visible.value = isIntersecting || element.matches(":focus-within");
      // A host that hides it leaves it no height to keep.
      element.style.contentVisibility = visible.value || !height ? "" : "auto";
      element.style.containIntrinsicHeight = `${height}px`;
    },
    { rootMargin: "200px" },
  );
  observer.observe(element);
  gone.addEventListener("abort", () => observer.disconnect());
  return visible;
}
