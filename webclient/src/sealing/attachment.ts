// Attachments (sealing.md §7): an age file of its own identity each, sealed and opened in pieces.
import { sha256 } from '@noble/hashes/sha2.js';
import { FILE_BYTES_MAX, SEALING_BYTES_MAX, type AttachmentSeal } from '../protocol/attachment';
import { equal } from '../protocol/bytes';
import { ageIdentity, identityFromScalar, openStream, recipientOf, sealStream } from './agefile';
import type { SealedFile } from './file_work';
import { SealingError } from './kdf';

interface Read {
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
  readonly bytes: number;
}

/** All pieces of a stream; more than `max` bytes are refused while they come. */
async function piecesOf(stream: ReadableStream<Uint8Array>, max: number): Promise<Read> {
  const reader = stream.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { parts, bytes };
    bytes += value.length;
    if (bytes > max) {
      await reader.cancel();
      throw new SealingError(`an attachment has at most ${max} bytes`);
    }
    parts.push(new Uint8Array(value));
  }
}

function hashOf(parts: readonly Uint8Array[]): Uint8Array {
  const hash = sha256.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Seals a file under a fresh identity made of 32 random bytes. */
export async function sealAttachment(file: Blob, scalar: Uint8Array): Promise<SealedFile> {
  const identity = identityFromScalar(scalar);
  const sealed = await sealStream(recipientOf(identity), file.stream());
  const { parts } = await piecesOf(sealed, FILE_BYTES_MAX + SEALING_BYTES_MAX);
  return { seal: { identity, sha256: hashOf(parts) }, file: new Blob([...parts]) };
}

/** Opens an age file that is the very one its message names. */
export async function openAttachment(seal: AttachmentSeal, file: Blob): Promise<Blob> {
  const identity = ageIdentity(seal.identity);
  const { parts } = await piecesOf(file.stream(), FILE_BYTES_MAX + SEALING_BYTES_MAX);
  if (!equal(hashOf(parts), seal.sha256)) {
    throw new SealingError('this is not the file that the message names');
  }
  try {
    const opened = await openStream(identity, new Blob([...parts]).stream());
    return new Blob([...(await piecesOf(opened, FILE_BYTES_MAX)).parts]);
  } catch (cause) {
    if (cause instanceof SealingError) throw cause;
    throw new SealingError('the attachment does not open', { cause });
  }
}
