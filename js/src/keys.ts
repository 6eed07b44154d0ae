/** Attributes of everything that can have the focus: notebooks take keys away from what does not say this. */
export const OWN_KEYS = { "data-lm-suppress-shortcuts": "true" };

/** The key did something here: neither the browser nor the notebook shall do more. */
export function taken(event: Event): void {
  event.preventDefault();
  event.stopPropagation();
}

/** Does what a key leads to, if it leads anywhere. */
export function follow<Step>(
  event: KeyboardEvent,
  steps: Record<string, Step>,
  go: (step: Step) => void,
): void {
  const step = steps[event.key];
  if (step === undefined) return;
  taken(event);
  go(step);
}
