import type { Parts } from "./parts";
import { corner, type Layout } from "./strip_layout";

/** How a cell looks. Each differs from the others in shape, not only in colour. */
const LOOKS = ["unsent", "starting", "queued", "running", "failed", "cancelled", "done"] as const;
type Look = (typeof LOOKS)[number];
export type Inks = Record<Look | "ground" | "track", string>;

/** The theme's colours as a canvas understands them: light-dark() and var() resolved. */
export function readInks(canvas: HTMLCanvasElement): Inks {
  const entries = [...LOOKS, "ground", "track"].map((look) => {
    canvas.style.color = `var(--qjob-${look})`;
    return [look, getComputedStyle(canvas).color];
  });
  return Object.fromEntries(entries) as Inks;
}

export function lookOf(parts: Parts, part: number): Look {
  const status = parts.status(part);
  if (status === "INITIALIZING") return parts.attempt(part) ? "starting" : "unsent";
  if (status === "VALIDATING") return "starting";
  if (status === "ERROR") return "failed";
  return status.toLowerCase() as Look;
}

type Pen = CanvasRenderingContext2D;
type Shape = (pen: Pen, x: number, y: number, width: number, height: number) => void;

const whole: Shape = (pen, x, y, width, height) => pen.rect(x, y, width, height);
/** A frame one pixel wide, as the space between two rectangles of opposite direction. */
const frame: Shape = (pen, x, y, width, height) => {
  pen.rect(x, y, width, height);
  pen.rect(x + width - 1, y + 1, 2 - width, height - 2);
};
/** A thin bar at half height: what waits is quiet. */
const thin: Shape = (pen, x, y, width, height) => {
  const bar = Math.max(1, Math.round(height / 2.5));
  pen.rect(x, y + Math.ceil((height - bar) / 2), width, bar);
};
const half: Shape = (pen, x, y, width, height) => {
  frame(pen, x, y, width, height);
  pen.rect(x, y + Math.floor(height / 2), width, Math.ceil(height / 2));
};
const slash: Shape = (pen, x, y, width, height) => {
  const thick = Math.max(1, width / 4);
  frame(pen, x, y, width, height);
  pen.moveTo(x, y + height);
  pen.lineTo(x + thick, y + height);
  pen.lineTo(x + width, y);
  pen.lineTo(x + width - thick, y);
};
const SHAPES: Record<Look, Shape> = {
  unsent: frame,
  starting: half,
  queued: thin,
  running: whole,
  failed: whole,
  cancelled: slash,
  done: whole,
};

/** What is taken out of a filled cell: two bands of a failed one, the core of a running one. */
const bands: Shape = (pen, x, y, width, height) => {
  const step = height / 4;
  for (const from of [step * 0.4, step * 2.2]) {
    pen.moveTo(x, y + from + step * 1.5);
    pen.lineTo(x, y + from + step * 0.5 + step * 1.9);
    pen.lineTo(x + width, y + from + step * 0.9);
    pen.lineTo(x + width, y + from);
  }
};
const core: Shape = (pen, x, y, width, height) => {
  const side = Math.max(1, Math.round(width / 3));
  const tall = Math.max(1, Math.round(height / 3));
  pen.rect(x + Math.floor((width - side) / 2), y + Math.floor((height - tall) / 2), side, tall);
};
const CUTS: Partial<Record<Look, Shape>> = { failed: bands, running: core };

/** Draws all cells, one path a look. The canvas is resized to the layout. */
export function paint(canvas: HTMLCanvasElement, parts: Parts, place: Layout, inks: Inks): void {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const ratio = window.devicePixelRatio || 1;
  const width = place.columns * place.across;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(place.total * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${place.total}px`;
  pen.scale(ratio, ratio);

  const groups = new Map<Look, number[]>(LOOKS.map((look) => [look, []]));
  for (let part = 0; part < parts.size; part++) groups.get(lookOf(parts, part))?.push(part);
  // In cells of a few pixels marks only blur: what failed stands out by closing the gaps instead.
  const tiny = place.width < 5;
  const fill = (found: number[], shape: Shape, ink: string, bleed = 0) => {
    pen.beginPath();
    for (const part of found) {
      const { x, y } = corner(part, place);
      shape(pen, x, y, place.width + bleed, place.height + bleed);
    }
    pen.fillStyle = ink;
    pen.fill();
  };
  for (const [look, found] of groups) {
    if (found.length === 0) continue;
    fill(
      found,
      tiny && look === "cancelled" ? half : SHAPES[look],
      inks[look],
      tiny && look === "failed" ? 1 : 0,
    );
    const cut = !tiny && CUTS[look];
    if (cut) fill(found, cut, inks.ground);
  }
}
