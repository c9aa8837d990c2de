// A square out of a picture: how far in, and where.

/** What is looked at: `zoom` from 1 (as much as a square holds), the middle in the picture's pixels. */
export interface Looking {
  readonly zoom: number;
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A square in the picture's pixels. */
export interface Square {
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

export const ZOOM_MAX = 4;

const between = (low: number, value: number, high: number): number =>
  Math.min(Math.max(value, low), high);

/** The middle of a picture, whole. */
export const middle = ({ width, height }: Size): Looking => ({
  zoom: 1,
  x: width / 2,
  y: height / 2,
});

/** The same, where it would leave the picture: kept within. */
export function within({ zoom, x, y }: Looking, { width, height }: Size): Looking {
  const near = between(1, zoom, ZOOM_MAX);
  const half = Math.min(width, height) / near / 2;
  return {
    zoom: near,
    x: between(half, x, width - half),
    y: between(half, y, height - half),
  };
}

export function squareOf(looking: Looking, size: Size): Square {
  const { zoom, x, y } = within(looking, size);
  const side = Math.min(size.width, size.height) / zoom;
  return { left: x - side / 2, top: y - side / 2, side };
}
