// Runs in the page before anything else: notes every message of the kernel, and looks at what it is asked to.
(() => {
  const words = new TextDecoder();
  const now = () => performance.timeOrigin + performance.now();
  /** Every message that arrives: when (milliseconds since 1970), its kind and its size. */
  const heard = [];
  /** Moments at which what is observed was changed. */
  const changes = [];
  let observer;

  // A message of the protocol v1.kernel.websocket.jupyter.org begins with the places of its pieces.
  const kindOf = (data) => {
    if (!(data instanceof ArrayBuffer)) return "text";
    const place = (number) => Number(new DataView(data).getBigUint64(8 * (number + 1), true));
    const header = words.decode(new Uint8Array(data, place(1), place(2) - place(1)));
    return JSON.parse(header).msg_type;
  };

  window.WebSocket = class extends WebSocket {
    constructor(...chosen) {
      super(...chosen);
      this.addEventListener("message", ({ data }) => {
        heard.push({ at: now(), kind: kindOf(data), bytes: data.byteLength ?? data.length });
      });
    }
  };

  const frame = () => new Promise(requestAnimationFrame);

  window.bench = {
    now,
    heard,
    changes,

    /** The end of the frame in which the expression `drawn` is true. */
    async painted(drawn) {
      const found = new Function(`return ${drawn}`);
      const end = performance.now() + 240_000;
      // Looked at after each frame, since much is only drawn once the frame has been laid out.
      while (!found()) {
        if (performance.now() > end) throw new Error(`not drawn: ${drawn}`);
        await frame();
        await new Promise((done) => setTimeout(done));
      }
      return now();
    },

    /** Notes from now on when texts or elements at `wanted` change, wherever they are below `root`. */
    observe({ root, wanted }) {
      changes.length = 0;
      observer?.disconnect();
      observer = new MutationObserver((records) => {
        const at = now();
        const element = ({ target }) => (target instanceof Element ? target : target.parentElement);
        if (records.some((record) => element(record)?.closest(wanted))) changes.push(at);
      });
      const looked = { subtree: true, childList: true, characterData: true };
      observer.observe(document.querySelector(root), looked);
    },

    /** Milliseconds between frames, each of which scrolls `element` three rows further, and back at its end. */
    async frames(milliseconds, element) {
      const intervals = [];
      const end = performance.now() + milliseconds;
      let last = await frame();
      let step = 84;
      while (performance.now() < end) {
        const before = element.scrollTop;
        element.scrollTop += step;
        if (element.scrollTop === before) step = -step;
        const next = await frame();
        intervals.push(next - last);
        last = next;
      }
      return intervals;
    },
  };
})();
