// The cases written to tests/vectors/ts-attachment.json: files at the borders of age's pieces.
import { b64u, hex, utf8 } from '../../protocol/bytes';
import { sealAttachment } from '../attachment';
import { sha256 } from '../kdf';
import { bad, good, type Case, type Input } from './cases';
import * as p from './people';

const KIB = 1024;

async function sealed(size: number): Promise<{ input: Input; file: Uint8Array; identity: string }> {
  const plain = new Uint8Array(size).fill(7);
  const made = await sealAttachment(new Blob([plain]), p.bytesOf(`file of ${size}`));
  const file = new Uint8Array(await made.file.arrayBuffer());
  const { identity, sha256: hash } = made.seal;
  return { input: { identity, sha256: hex(hash), file: b64u(file) }, file, identity };
}

/** The input for another file under the same identity, with its own hash. */
const other = (identity: string, file: Uint8Array): Input => ({
  identity,
  sha256: hex(sha256(file)),
  file: b64u(file),
});

export async function attachmentCases(): Promise<Case[]> {
  const [none, small, whole, more] = await Promise.all(
    [0, 5, 64 * KIB, 64 * KIB + 1].map((size) => sealed(size)),
  );
  if (none === undefined || small === undefined || whole === undefined || more === undefined) {
    throw new Error('four files');
  }
  const op = 'attachment_open';
  const { file, identity } = small;
  // Of the large one the last piece: one byte and its tag.
  const atTheBorder = more.file.slice(0, -17);
  return Promise.all([
    good('nothing', op, none.input),
    good('a few bytes', op, small.input),
    good('a whole piece of 64 KiB', op, whole.input),
    good('a piece and one byte', op, more.input),
    bad('another hash', op, { ...small.input, sha256: hex(sha256(utf8('other'))) }),
    bad('another identity', op, { ...small.input, identity: none.identity }),
    bad('no identity', op, { ...small.input, identity: 'AGE-SECRET-KEY-1' }),
    bad('a turned bit in the last byte', op, other(identity, p.turned(file, -1))),
    bad('a turned bit in the first byte', op, other(identity, p.turned(file, 0))),
    bad('a byte less', op, other(identity, file.slice(0, -1))),
    bad('a byte more', op, other(identity, Uint8Array.from([...file, 0]))),
    bad('cut off between two pieces', op, other(more.identity, atTheBorder)),
    bad('no file', op, other(identity, new Uint8Array())),
    bad('a text', op, other(identity, utf8('hello'))),
    bad('another file', op, { ...small.input, file: none.input['file'] }),
  ]);
}
