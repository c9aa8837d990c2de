// What a file is, by its bytes and not by its name: what open rooms take, and what can be shown.

/** How a file is shown. */
export type Showing = 'image' | 'audio' | 'video' | 'file';

export interface FileType {
  readonly mime: string;
  readonly showing: Showing;
  /** Taken where the box can read (seed 004). */
  readonly open: boolean;
}

/** So many of the first bytes tell it. */
export const HEAD_BYTES = 64;

const of = (mime: string, showing: Showing, open = false): FileType => ({ mime, showing, open });

/** Signatures: bytes in hex at an offset. `??` is any byte. */
const SIGNATURES: readonly (readonly [string, FileType])[] = [
  ['ffd8ff', of('image/jpeg', 'image', true)],
  ['89504e470d0a1a0a', of('image/png', 'image', true)],
  ['474946383761', of('image/gif', 'image', true)],
  ['474946383961', of('image/gif', 'image', true)],
  ['52494646????????57454250', of('image/webp', 'image', true)],
  ['????????6674797061766966', of('image/avif', 'image')],
  ['255044462d', of('application/pdf', 'file', true)],
  ['d0cf11e0a1b11ae1', of('application/msword', 'file', true)],
  ['504b0304', of('application/zip', 'file', true)],
  ['504b0506', of('application/zip', 'file', true)],
  ['1a45dfa3', of('video/webm', 'video')],
  ['4f676753', of('audio/ogg', 'audio')],
  ['52494646????????57415645', of('audio/wav', 'audio')],
  ['664c6143', of('audio/flac', 'audio')],
  ['494433', of('audio/mpeg', 'audio')],
  ['fffb', of('audio/mpeg', 'audio')],
  ['fff3', of('audio/mpeg', 'audio')],
  ['????????667479704d344120', of('audio/mp4', 'audio')],
  ['????????66747970', of('video/mp4', 'video')],
];

const OTHER = of('application/octet-stream', 'file');

function begins(head: Uint8Array, signature: string): boolean {
  if (head.length < signature.length / 2) return false;
  return (signature.match(/../g) ?? []).every(
    (byte, at) => byte === '??' || Number.parseInt(byte, 16) === head[at],
  );
}

/** The type of a file that begins like this. */
export function fileType(head: Uint8Array): FileType {
  return SIGNATURES.find(([signature]) => begins(head, signature))?.[1] ?? OTHER;
}

/**
 * What may be drawn or played of a file that its sender calls `claimed`: never more than its bytes
 * say, and webm or mp4 without a picture where the sender says that it is only heard.
 */
export function shownAs(claimed: string, head: Uint8Array): FileType {
  const found = fileType(head);
  const heard = claimed.startsWith('audio/') && found.showing === 'video';
  return heard ? of(found.mime.replace('video/', 'audio/'), 'audio') : found;
}

/** How a file is announced before its bytes are here: by the sender's word. */
export function showingOf(mime: string): Showing {
  const raster = ['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif'];
  if (raster.includes(mime)) return 'image';
  const playable = ['ogg', 'wav', 'flac', 'mpeg', 'mp4', 'webm'];
  const [family, kind = ''] = mime.split(';')[0]?.split('/') ?? [];
  if (family === 'audio' && playable.includes(kind)) return 'audio';
  return family === 'video' && ['webm', 'mp4'].includes(kind) ? 'video' : 'file';
}

/** The small picture of a message as an address for `img`; null for what is none. */
export function pictureAddress(head: Uint8Array, base64url: string): string | null {
  const { mime, showing } = fileType(head);
  if (showing !== 'image') return null;
  return `data:${mime};base64,${base64url.replaceAll('-', '+').replaceAll('_', '/')}`;
}
