// A text as the outline of its QR code, drawn as one SVG path.
import { generate } from 'lean-qr';

/** `size`: modules along one side without the quiet zone; `path`: one square module is 1 unit. */
export interface QrPath {
  readonly size: number;
  readonly path: string;
}

/** One rectangle for each run of dark modules in a row. */
export function qrPath(text: string): QrPath {
  const code = generate(text);
  let path = '';
  for (let y = 0; y < code.size; y += 1) {
    for (let x = 0; x < code.size; x += 1) {
      if (!code.get(x, y)) continue;
      const start = x;
      while (code.get(x + 1, y)) x += 1;
      path += `M${start} ${y}h${x + 1 - start}v1h-${x + 1 - start}z`;
    }
  }
  return { size: code.size, path };
}
