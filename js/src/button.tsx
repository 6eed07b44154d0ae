import { type ComponentChildren, h, type RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { OWN_KEYS } from "./keys";

interface Props {
  children?: ComponentChildren;
  onPress: () => void;
  kind?: "plain" | "main" | "warn" | "danger" | "icon" | "copied" | "link" | "remove" | "open" | "tag";
  disabled?: boolean;
  /** Asked, not answered yet: disabled, and seen to be at work. */
  pending?: boolean;
  title?: string;
  label?: string;
  tabIndex?: number;
  /** Marks the one button of a dialog that does what it asks. */
  confirms?: boolean;
  /** Something that is on or off. */
  pressed?: boolean;
  /** Something that opens; whether it is open. */
  expanded?: boolean;
  handle?: RefObject<HTMLButtonElement | null>;
}

/** Every button of the panel. Notebooks take keys away from a focused element unless it says not to. */
export function Button({ children, onPress, kind = "plain", ...props }: Props) {
  const own = useRef<HTMLButtonElement | null>(null);
  const off = Boolean(props.disabled || props.pending);
  keepFocus(own, off);
  const attach = (element: HTMLButtonElement | null) => {
    own.current = element;
    if (props.handle) props.handle.current = element;
  };
  return (
    <button
      type="button"
      ref={attach}
      class={`qjob-button qjob-${kind}`}
      disabled={off}
      aria-busy={props.pending ? "true" : undefined}
      aria-label={props.label}
      aria-pressed={props.pressed}
      aria-expanded={props.expanded}
      title={props.title}
      tabIndex={props.tabIndex}
      {...OWN_KEYS}
      data-confirm={props.confirms ? "" : undefined}
      onClick={onPress}
    >
      {children}
    </button>
  );
}

/** A button that is disabled loses the focus; when it works again and nothing else took it, it has it back. */
function keepFocus(own: { current: HTMLButtonElement | null }, off: boolean): void {
  const wanted = useRef(false);
  const focused = () => (own.current?.getRootNode() as Document | ShadowRoot | undefined)?.activeElement;
  if (off && own.current && focused() === own.current) wanted.current = true;
  useLayoutEffect(() => {
    if (off) return;
    const free = !focused() || focused() === document.body;
    if (wanted.current && free) own.current?.focus();
    wanted.current = false;
  }, [off]);
}
