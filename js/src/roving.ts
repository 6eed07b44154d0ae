import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { taken } from "./keys";

/**
 * Makes the buttons of a box one stop of the Tab key: the arrows lead from one to the next. Returns the
 * handlers of the box; what lies in a menu has keys of its own.
 */
export function useRoving(box: RefObject<HTMLElement | null>) {
  const current = useRef<HTMLElement | null>(null);
  const all = () => [...(box.current?.querySelectorAll<HTMLButtonElement>(ITEMS) ?? [])];
  const arrange = () => {
    const items = all();
    const able = items.filter(({ disabled }) => !disabled);
    const stop = able.find((item) => item === current.current) ?? able[0];
    for (const item of items) {
      const place = item === stop ? 0 : -1;
      // Written anew it would count as changed, and the page be laid out again.
      if (item.tabIndex !== place) item.tabIndex = place;
    }
  };
  useLayoutEffect(arrange);
  return {
    onFocusIn: ({ target }: FocusEvent) => {
      current.current = (target as HTMLElement).closest(ITEMS);
      arrange();
    },
    onKeyDown: (event: KeyboardEvent) => {
      const items = all().filter((item) => !item.disabled && item.offsetParent);
      const at = items.indexOf(event.target as HTMLButtonElement);
      const targets: Record<string, number> = {
        ArrowRight: at + 1,
        ArrowLeft: at - 1,
        Home: 0,
        End: items.length - 1,
      };
      const target = targets[event.key];
      if (at < 0 || target === undefined) return;
      items[(target + items.length) % items.length]?.focus();
      taken(event);
    },
  };
}

const ITEMS = "button:not(.qjob-menu *, [data-zero])";
