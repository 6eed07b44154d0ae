import { h } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "./button";

/** Milliseconds that "copied" shows. */
const TOLD = 1500;

/** Puts text on the clipboard, also where the page is not served securely. */
export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.style.cssText = "position:fixed;opacity:0";
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}

/** A small button that copies an id, and shows that it did. */
export function CopyButton({ id, tabIndex }: { id: string; tabIndex?: number }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), TOLD);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <Button
      kind={copied ? "copied" : "icon"}
      label={copied ? "Copied" : `Copy job id ${id}`}
      title={copied ? "Copied" : "Copy job id"}
      tabIndex={tabIndex}
      onPress={() => copy(id).then(() => setCopied(true))}
    />
  );
}
