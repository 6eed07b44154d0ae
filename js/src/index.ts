/** The module that anywidget loads: one store per model, one drawing per view. */
import { h, options, render } from "preact";
import { Panel } from "./panel";
import type { Model } from "./protocol";
import { Store } from "./store";

// Whatever changes within a frame is drawn once, in the next.
options.debounceRendering = (draw) => requestAnimationFrame(draw);

interface Opened {
  model: Model;
  /** Aborts when the model, or the view, goes; old hosts have none and call what is returned. */
  signal?: AbortSignal;
}

export default () => {
  let store: Store | undefined;
  const ended = new AbortController();
  const open = (model: Model): Store => {
    store ??= new Store(model, ended.signal);
    return store;
  };

  return {
    initialize({ model, signal }: Opened): () => void {
      open(model);
      const end = () => ended.abort();
      signal?.addEventListener("abort", end, { once: true });
      return end;
    },

    render({ model, el, signal }: Opened & { el: HTMLElement }): () => void {
      const shared = open(model);
      const close = shared.open();
      const gone = new AbortController();
      gone.signal.addEventListener("abort", () => {
        render(null, el);
        close();
      });
      render(h(Panel, { store: shared }), el);
      const end = () => gone.abort();
      signal?.addEventListener("abort", end, { once: true });
      return end;
    },
  };
};
