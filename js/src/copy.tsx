import { h } from "preact";
import { useEffect } from "preact/hooks";
import { Button } from "./button";
import { tracked, useSignal } from "./tracked";

/** Milliseconds that "copied" shows. */
const TOLD = 1500;

/** Puts text on the clipboard, also where the page is not served securely; false where the browser refuses. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.style.cssText = "position:fixed;opacity:0";
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }
}

interface Props {
  text: string;
  /** What is copied, "job id". */
  what: string;
  tabIndex?: number;
}

/** A small button that copies a text, and shows that it did. */
export const CopyButton = tracked(({ text, what, tabIndex }: Props) => {
  const done = useSignal(false);
  const copied = done.value;
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => {
      done.value = false;
    }, TOLD);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <Button
      kind={copied ? "copied" : "icon"}
      label={copied ? "Copied" : `Copy ${what}`}
      title={copied ? "Copied" : `Copy ${what}`}
      tabIndex={tabIndex}
      onPress={() =>
        copy(text).then((copied) => {
          done.value = copied;
        })
      }
    />
  );
});
