import panel from "../src/index";
import "../src/styles/index.css";
import { FakeModel, type Traits, traits } from "./fake_model";

const opened: AbortController[] = [];

/** Everything drawn so far is gone, models included. */
export function clear(): void {
  for (const controller of opened.splice(0)) controller.abort();
  document.body.replaceChildren();
}

/** Two frames: what was changed is drawn, and what that changed too. */
export async function drawn(): Promise<void> {
  for (let frame = 0; frame < 4; frame++) await new Promise(requestAnimationFrame);
}

export interface Mounted {
  model: FakeModel;
  view: HTMLElement;
  /** Another view of the same model, and how to close it. */
  again: () => { view: HTMLElement; close: () => void };
  close: () => void;
  one: <Found extends HTMLElement = HTMLElement>(selector: string) => Found;
  button: (name: string) => HTMLButtonElement;
}

/** The panel of a fake model in the page, drawn. `change` alters the traits before. */
export async function mount(letters: string, change: (all: Traits) => void = () => {}): Promise<Mounted> {
  const all = traits(letters);
  change(all);
  return mountTraits(all);
}

/** The panel, or what another module draws, of a fake model with these traits. */
export async function mountTraits(all: Traits = traits(""), widget = panel): Promise<Mounted> {
  const model = new FakeModel(all);
  const { initialize, render } = widget();
  const ended = new AbortController();
  opened.push(ended);
  initialize({ model, signal: ended.signal });
  const again = () => {
    const el = document.body.appendChild(document.createElement("div"));
    const gone = new AbortController();
    opened.push(gone);
    render({ model, el, signal: gone.signal });
    return { view: el, close: () => gone.abort() };
  };
  const { view, close } = again();
  await drawn();
  const one = <Found extends HTMLElement>(selector: string) => {
    const found = view.querySelector<Found>(selector);
    if (!found) throw new Error(`Nothing matches ${selector} in ${view.innerHTML}`);
    return found;
  };
  const button = (name: string) => {
    const found = [...view.querySelectorAll("button")].find((element) => element.textContent === name);
    if (!found) throw new Error(`No button is called ${name}`);
    return found;
  };
  return { model, view, again, close, one, button };
}
