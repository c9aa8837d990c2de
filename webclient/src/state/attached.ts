// The files of a message as the screens get them: what opens them stays behind.
import type { Attachment } from '../protocol/attachment';
import { fromB64u } from '../protocol/bytes';
import { HEAD_BYTES, pictureAddress, showingOf } from '../protocol/file_type';
import type { AttachmentItem, AttachmentKind } from './files_model';

const known = new WeakMap<Attachment, AttachmentItem>();

function kindOf({ mime, peaks }: Attachment): AttachmentKind {
  const showing = showingOf(mime);
  return showing === 'audio' && peaks !== null ? 'voice' : showing;
}

function thumbnailOf({ thumbnail }: Attachment): string | null {
  if (thumbnail === null) return null;
  return pictureAddress(fromB64u(thumbnail).subarray(0, HEAD_BYTES), thumbnail);
}

/** One file; the same object for the same event. */
export function attachmentItem(of: Attachment): AttachmentItem {
  const found = known.get(of);
  if (found !== undefined) return found;
  const { id, name, mime, size, width, height, durationMs, peaks } = of;
  const item: AttachmentItem = {
    id,
    kind: kindOf(of),
    name,
    mime,
    size,
    width,
    height,
    thumbnail: thumbnailOf(of),
    durationMs,
    peaks,
  };
  known.set(of, item);
  return item;
}

/** What a message shows, in one word: the first file's kind, `file` where they differ. */
export function kindOfAll(
  files: readonly { readonly kind: AttachmentKind }[],
): AttachmentKind | null {
  const kinds = new Set(files.map(({ kind }) => kind));
  const [first] = kinds;
  if (first === undefined) return null;
  return kinds.size === 1 ? first : 'file';
}
