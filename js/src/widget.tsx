import { type ComponentClass, h, render } from "preact";
import type { Model } from "./protocol";
import type { Store } from "./store";
import { type Shown, tracked } from "./tracked";
import { visibility } from "./visible";

interface Opened {
  model: Model;
  /** Aborts when the model, or the view, goes; old hosts have none. */
  signal?: AbortSignal;
}

/** Calls `end` at the latest when the host says so; old hosts call it themselves. */
function until(signal: AbortSignal | undefined, end: () => void): () => void {
  signal?.addEventListener("abort", end);
  return end;
}

/** What anywidget asks of a module: one store per model, one drawing per view. */
export function widget<Kept extends Store>(
  make: new (model: Model, ended: AbortSignal) => Kept,
  Whole: ComponentClass<{ store: Kept }>,
) {
  /** Nothing until Python has written its traits. */
  const View = tracked(({ store }: Shown & { store: Kept }) =>
    store.ready.value ? <Whole store={store} /> : null,
  );

  return () => {
    let store: Kept | undefined;
    const ended = new AbortController();
    const open = (model: Model): Kept => {
      store ??= new make(model, ended.signal);
      return store;
    };

    return {
      initialize({ model, signal }: Opened): () => void {
        open(model);
        return until(signal, () => ended.abort());
      },

      render({ model, el, signal }: Opened & { el: HTMLElement }): () => void {
        const shared = open(model);
        const close = shared.open();
        const gone = new AbortController();
        gone.signal.addEventListener("abort", () => {
          render(null, el);
          close();
        });
        render(<View store={shared} visible={visibility(el, gone.signal)} />, el);
        return until(signal, () => gone.abort());
      },
    };
  };
}
