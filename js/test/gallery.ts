/** The page that `npm run gallery` takes its pictures of: it shows a panel of any scene. */
import panel from "../src/index";
import { FakeModel, type Traits } from "./fake_model";
import { SCENES } from "./scenes";

const clock = Date.now;

function show(name: string): void {
  Date.now = clock;
  const model = new FakeModel((SCENES[name] as () => Traits)());
  const { initialize, render } = panel();
  const { signal } = new AbortController();
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  initialize({ model, signal });
  render({ model, el, signal });
  // Nothing is heard for longer than a heartbeat.
  if (name.startsWith("lost")) Date.now = () => clock() + 60_000;
}

Object.assign(window, { show, scenes: Object.keys(SCENES) });
