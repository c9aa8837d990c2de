// The worker for files: it holds no key but that of the file at hand.
import { answerCall, type Call } from '../local/calls';
import { openAttachment, sealAttachment } from './attachment';
import type { FileWork } from './file_work';
import { pictureOf } from './picture';
import { ensureSubtle } from './subtle';

ensureSubtle();

const work: FileWork = {
  seal: (file) => sealAttachment(file, crypto.getRandomValues(new Uint8Array(32))),
  open: openAttachment,
  picture: pictureOf,
};
let turn: Promise<void> = Promise.resolve();

addEventListener('message', (event: MessageEvent<Call>) => {
  turn = turn.then(async () => postMessage(await answerCall(work, event.data)));
});
