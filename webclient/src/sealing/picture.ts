// Pictures: drawn anew, so that place, time and camera stay behind, and a small one for the message.
import { THUMBNAIL_BYTES_MAX } from '../protocol/attachment';
import { fileType, HEAD_BYTES } from '../protocol/file_type';
import type { Picture } from './file_work';

/** Pixels of a picture's longer side at most, once it is drawn anew. */
const SIDE_MAX = 2_560;
const QUALITY = 0.85;
/** Longer side and quality of the small picture, the first that is small enough. */
const SMALL: readonly (readonly [number, number])[] = [
  [160, 0.7],
  [120, 0.5],
  [64, 0.4],
];

/** A WebP file that moves (VP8X, the flag of animation): drawn anew it would stand still. */
function moves(mime: string, head: Uint8Array): boolean {
  if (mime === 'image/gif') return true;
  const extended = head[15] === 0x58;
  return mime === 'image/webp' && extended && ((head[20] ?? 0) & 0x02) !== 0;
}

async function drawn(
  bitmap: ImageBitmap,
  side: number,
  type: string,
  quality: number,
): Promise<{ file: Blob; width: number; height: number }> {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('nothing to draw on');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  return { file: await canvas.convertToBlob({ type, quality }), width, height };
}

async function small(bitmap: ImageBitmap): Promise<Uint8Array | null> {
  for (const [side, quality] of SMALL) {
    const { file } = await drawn(bitmap, side, 'image/webp', quality);
    if (file.size <= THUMBNAIL_BYTES_MAX) return new Uint8Array(await file.arrayBuffer());
  }
  return null;
}

/** A picture ready to be sent; null for what this browser cannot draw. */
export async function pictureOf(file: Blob, keep: boolean): Promise<Picture | null> {
  if (typeof OffscreenCanvas === 'undefined' || typeof createImageBitmap === 'undefined') {
    return null;
  }
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const { mime, showing } = fileType(head);
  if (showing !== 'image') return null;
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch (error) {
    // Damaged, or of a kind that this browser does not know: sent as a file.
    if (error instanceof DOMException) return null;
    throw error;
  }
  try {
    const thumbnail = await small(bitmap);
    if (keep || moves(mime, head)) {
      const { width, height } = bitmap;
      return { file, redrawn: false, width, height, thumbnail };
    }
    return { ...(await drawn(bitmap, SIDE_MAX, mime, QUALITY)), redrawn: true, thumbnail };
  } finally {
    bitmap.close();
  }
}
