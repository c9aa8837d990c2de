// An attachment as a message tells of it: sealed rooms with all that opens it, open rooms by id.
import { b64u } from './bytes';
import type { Id } from './ids';
import * as s from './schema';

/** What opens a sealed attachment: the identity of its own age file, and the file's hash. */
export interface AttachmentSeal {
  /** `AGE-SECRET-KEY-1…`, of this file alone. */
  readonly identity: string;
  /** SHA-256 of the age file. */
  readonly sha256: Uint8Array;
}

/** A file of a message (sealing.md §7). */
export interface Attachment {
  readonly id: Id;
  /** Null in an open room. */
  readonly seal: AttachmentSeal | null;
  /** Bytes of the file itself. */
  readonly size: number;
  readonly mime: string;
  readonly name: string;
  /** A small picture: bytes in base64url, at most `THUMBNAIL_BYTES_MAX`. */
  readonly thumbnail: string | null;
  /** Pixels of a picture or a video. */
  readonly width: number | null;
  readonly height: number | null;
  /** Of what is heard. */
  readonly durationMs: number | null;
  /** Loudness from 0 to 255, over the whole length: a voice message. */
  readonly peaks: readonly number[] | null;
}

/** Bytes of a megabyte, wherever Hearth counts in them. */
export const MB = 1_048_576;
/** Bytes of a file (seed 004: 10 MB). */
export const FILE_BYTES_MAX = 10 * MB;
/** Files of one message. */
export const FILES_MAX = 10;
/** Bytes of a file's name. */
export const NAME_BYTES_MAX = 255;
/** Bytes of a small picture inside an event. */
export const THUMBNAIL_BYTES_MAX = 8 * 1024;
/** A voice message's length, ms: a quarter of an hour, well below `FILE_BYTES_MAX`. */
export const VOICE_MS_MAX = 15 * 60_000;
/** Bars of a voice message. */
export const PEAKS_MAX = 64;
/** Bytes by which age makes a file larger at most: header, nonce, one tag per 64 KiB. */
export const SEALING_BYTES_MAX = 65_536;

const SIDE_MAX = 65_535;

const bounded =
  (max: number): s.Parser<number | null> =>
  (value, path) => {
    const number = s.optional(s.count)(value, path);
    // What is out of bounds is left out: the file itself can be shown all the same.
    return number === null || number === 0 || number > max ? null : number;
  };

const nameOf: s.Parser<string> = (value, path) =>
  s
    .text(value, path)
    .replace(/[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069/\\]/g, '_')
    .slice(0, NAME_BYTES_MAX);

const thumbnailOf: s.Parser<string | null> = (value, path) => {
  const bytes = s.optional(s.bytes())(value, path);
  return bytes === null || bytes.length > THUMBNAIL_BYTES_MAX ? null : s.text(value, path);
};

const peaksOf: s.Parser<readonly number[] | null> = (value, path) => {
  const bytes = s.optional(s.bytes())(value, path);
  return bytes === null || bytes.length > PEAKS_MAX ? null : [...bytes];
};

const sealedFields = s.object({
  id: s.id,
  identity: s.optional(s.text),
  sha256: s.optional(s.bytes(32)),
  size: s.count,
  mime: s.withDefault(s.text, 'application/octet-stream'),
  name: s.optional(nameOf),
  filename: s.optional(nameOf),
  thumbnail: thumbnailOf,
  width: bounded(SIDE_MAX),
  height: bounded(SIDE_MAX),
  duration_ms: bounded(86_400_000),
  peaks: peaksOf,
});

/** An attachment in parsed JSON, of either kind of room. */
export const attachment: s.Parser<Attachment> = (value, path) => {
  const read = sealedFields(value, path);
  const { identity, sha256, duration_ms, filename, name, ...rest } = read;
  return {
    ...rest,
    name: name ?? filename ?? '',
    seal: identity === null || sha256 === null ? null : { identity, sha256 },
    durationMs: duration_ms,
  };
};

/** Its JSON inside a sealed event. */
export function attachmentJson(one: Attachment): Record<string, unknown> {
  const { id, seal, size, mime, name, thumbnail, width, height, durationMs, peaks } = one;
  return {
    id,
    ...(seal === null ? {} : { identity: seal.identity, sha256: b64u(seal.sha256) }),
    size,
    mime,
    name,
    ...(thumbnail === null ? {} : { thumbnail }),
    ...(width === null || height === null ? {} : { width, height }),
    ...(durationMs === null ? {} : { duration_ms: durationMs }),
    ...(peaks === null ? {} : { peaks: b64u(Uint8Array.from(peaks)) }),
  };
}

/** Bytes of JSON that an event's files may take beside its words: an event has 64 KiB, padded. */
const FILES_JSON_MAX = 48 * 1024;

/** The files of a message whose words take so many bytes: small pictures go until they fit. */
export function fitting(contentBytes: number, files: readonly Attachment[]): Attachment[] {
  const room = FILES_JSON_MAX - Math.max(0, contentBytes - 8 * 1024);
  const taken = (all: readonly Attachment[]): number =>
    all.reduce((sum, one) => sum + JSON.stringify(attachmentJson(one)).length, 0);
  const out = [...files];
  while (taken(out) > room && out.some(({ thumbnail }) => thumbnail !== null)) {
    const sizes = out.map(({ thumbnail }) => thumbnail?.length ?? 0);
    const largest = sizes.indexOf(Math.max(...sizes));
    out.splice(largest, 1, ...out.slice(largest, largest + 1).map(withoutPicture));
  }
  return out;
}

const withoutPicture = (one: Attachment): Attachment => ({ ...one, thumbnail: null });
