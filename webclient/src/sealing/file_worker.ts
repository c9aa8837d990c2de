// The worker for files: it holds no key but that of the file at hand.
import { openAttachment, sealAttachment } from './attachment';
import type { FileWork } from './file_work';
import { pictureOf } from './picture';
import { answer, type Call } from './rpc';
import { ensureSubtle } from './subtle';

ensureSubtle();

const work: FileWork = {
  seal: (file) => sealAttachment(file, crypto.getRandomValues(new Uint8Array(32))),
  open: openAttachment,
  picture: pictureOf,
};
let turn: Promise<void> = Promise.resolve();

addEventListener('message', (event: MessageEvent<Call<FileWork>>) => {
  turn = turn.then(async () => postMessage(await answer(work, event.data)));
});
