import { type ComponentChildren, h } from "preact";
import { useRef } from "preact/hooks";
import { Button } from "./button";
import { taken } from "./keys";
import { tracked, useSignal } from "./tracked";

interface Props {
  children: ComponentChildren;
  /** What stands on the button, and what it is called. */
  face: string;
  label: string;
  disabled?: boolean;
  kind?: "plain" | "main";
}

/** A button with a few others behind it. Escape, a choice, or looking elsewhere closes it. */
export const Popup = tracked(({ children, face, label, disabled, kind }: Props) => {
  const open = useSignal(false);
  const box = useRef<HTMLSpanElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const close = (back: boolean) => {
    open.value = false;
    if (back) opener.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const choices = [...(box.current?.querySelectorAll<HTMLElement>(".qjob-menu button:enabled") ?? [])];
    const at = choices.findIndex((choice) => choice.matches(":focus"));
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && open.value) close(true);
    else if (step && at < 0) {
      open.value = true;
      requestAnimationFrame(() =>
        box.current?.querySelector<HTMLElement>(".qjob-menu button:enabled")?.focus(),
      );
    } else if (step) choices.at((at + step) % choices.length)?.focus();
    else return;
    taken(event);
  };
  return (
    <span
      ref={box}
      class="qjob-popup"
      onKeyDown={onKeyDown}
      onFocusOut={({ relatedTarget }) => {
        if (!box.current?.contains(relatedTarget as Node | null)) close(false);
      }}
    >
      <Button
        kind={kind}
        handle={opener}
        label={label}
        title={label}
        disabled={disabled}
        expanded={open.value}
        onPress={() => {
          open.value = !open.value;
        }}
      >
        {face}
      </Button>
      <span
        class="qjob-menu"
        role="group"
        aria-label={label}
        hidden={!open.value}
        onClick={() => close(true)}
      >
        {children}
      </span>
    </span>
  );
});
