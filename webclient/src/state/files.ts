// Files: chosen, sent with messages, opened. What opens them never leaves this side of the screens.
import { isCode } from '../api/error';
import type { KeptFile } from '../local/tray_store';
import type { Attachment } from '../protocol/attachment';
import { parseEvent } from '../protocol/event';
import { HEAD_BYTES, shownAs } from '../protocol/file_type';
import { isId, newId, parseId, type Id } from '../protocol/ids';
import { SealingError } from '../sealing/kdf';
import { Uploads } from '../session/uploads';
import type { Parts } from './deps';
import {
  trayOf,
  type FilesApp,
  type FilesState,
  type OpenedFile,
  type Recording,
  type Which,
} from './files_model';
import type { Home } from './home';
import { KeptTrays } from './kept_trays';
import { Observable } from './observable';
import { OpenedFiles } from './opened_files';
import { ProblemError, problemOf } from './problem';
import type { RoomHandle } from './room';
import { RoomActions } from './room_actions';
import { Trays, type Ready } from './trays';

const NOTHING: FilesState = { trays: {}, progress: {} };

export class Files implements FilesApp {
  readonly #parts: Parts;
  readonly #state = new Observable<FilesState>(NOTHING);
  readonly #opened = new OpenedFiles();
  readonly #trays: Trays;
  #kept: KeptTrays;
  #home: Home | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { clock, random, fileWork: work, trayStore } = parts;
    this.#kept = new KeptTrays(trayStore);
    this.#trays = new Trays({
      work,
      newId: () => newId(clock.now(), random(10)),
      changed: () => this.#state.update({ trays: this.#trays.shown() }),
      kept: () => this.#kept,
    });
  }

  subscribe(run: (state: FilesState) => void): () => void {
    return this.#state.subscribe(run);
  }

  /** Somebody came in: what lies in the outbox can go up. */
  enter(home: Home): void {
    this.#home = home;
    this.#kept = new KeptTrays(this.#parts.trayStore);
  }

  /** The rooms are here: what lay in their trays before the page was loaded lies there again. */
  restore(): void {
    const { rooms } = this.#here();
    const handleOf = ({ tray }: KeptFile): RoomHandle | null => {
      const room = tray.split('/')[0] ?? '';
      return isId(room) ? rooms.get(room) : null;
    };
    this.#kept.restore(
      (file) => handleOf(file) !== null,
      (file, source) => {
        const handle = handleOf(file);
        if (handle !== null) this.#trays.restore(file, handle.room.sealing, source);
      },
    );
  }

  leave(): void {
    this.#home = null;
    this.#kept.stop();
    this.#opened.clear();
    this.#trays.clear();
    this.#state.set(NOTHING);
  }

  /** What brings the files of this person's messages up. */
  uploadsOf(home: Home): Uploads {
    const { api, clock, outboxStore: store, fileWork: work } = this.#parts;
    return new Uploads({
      outbox: home.outbox,
      store,
      api: api.attachments,
      work,
      clock,
      isOnline: () => home.online,
      progressed: (file, part) => this.#progressed(file, part),
      named: (file, name) => this.#opened.rename(file, name),
      failed: (error) => home.failed(error),
    });
  }

  #progressed(file: Id, part: number | null): void {
    const { [file]: _before, ...others } = this.#state.value.progress;
    this.#state.update({ progress: part === null ? others : { ...others, [file]: part } });
  }

  #here(): Home {
    if (this.#home === null) throw new ProblemError('sign_in', 'nobody is signed in', 'sign in');
    return this.#home;
  }

  async choose(tray: string, files: readonly File[]): Promise<void> {
    const { sealing } = this.#here().rooms.need(tray.split('/')[0] ?? '').room;
    this.#trays.choose(tray, sealing, files);
  }

  keepOriginal(tray: string, id: string, on: boolean): void {
    this.#trays.keepOriginal(tray, id, on);
  }

  drop(tray: string, id: string): void {
    void this.#trays.drop(tray, [id]);
  }

  /** A message with what lies in the open room's tray, or in that of a thread in it. */
  async send(text: string, parent: string | null, thread?: string): Promise<void> {
    const home = this.#here();
    const tray = trayOf(home.current?.room.id ?? '', thread);
    const room = new RoomActions(home);
    const ready = await this.#trays.take(tray);
    await this.#send(room, text, parent, ready);
    const sent = ready.map(({ attachment }) => attachment.id);
    if (sent.length > 0) await this.#trays.drop(tray, sent);
  }

  async #send(
    room: RoomActions,
    text: string,
    parent: string | null,
    ready: Ready[],
  ): Promise<void> {
    for (const { attachment, plain } of ready) {
      this.#opened.keep(attachment.id, await typed(attachment, plain));
    }
    await room.send(text, parent, ready);
  }

  async sendVoice(recording: Recording, parentId?: string): Promise<void> {
    const room = new RoomActions(this.#here());
    try {
      const ready = await this.#trays.voice(recording, 'voice');
      await this.#send(room, '', parentId ?? null, [ready]);
    } catch (error) {
      throw problemOf(error);
    }
  }

  async cancel(message: string): Promise<void> {
    const home = this.#here();
    const id = parseId(message);
    home.uploads.cancel(id);
    await home.outbox.discard(id);
  }

  async open({ message, attachment }: Which, size: 'small' | 'whole'): Promise<OpenedFile> {
    const found = this.#find(message, attachment);
    if (found === null) throw gone();
    // In a sealed room there is only the whole.
    const small = size === 'small' && found.seal === null;
    try {
      const key = small ? `${found.id}/small` : found.id;
      return await this.#opened.get(key, async () => typed(found, await this.#bytes(found, small)));
    } catch (error) {
      if (error instanceof SealingError) throw damaged(error);
      if (isCode(error, 'not_found', 'gone')) throw gone();
      throw problemOf(error);
    }
  }

  async #bytes(of: Attachment, small: boolean): Promise<Blob> {
    const { api, outboxStore, fileWork } = this.#parts;
    const { id, seal } = of;
    if (seal !== null) {
      const here = await outboxStore.file(id);
      return fileWork.open(seal, here ?? (await api.attachments.read(id)));
    }
    if (!small) return api.attachments.read(id);
    try {
      return await api.attachments.thumbnail(id);
    } catch (error) {
      if (!isCode(error, 'no_thumbnail', 'busy')) throw error;
      return api.attachments.read(id);
    }
  }

  /** A file of a message of the open room, with what opens it. */
  #find(message: string, attachment: string): Attachment | null {
    const home = this.#here();
    const handle = home.current;
    if (handle === null) return null;
    const pending = home.outbox.items(handle.room.id);
    const waiting = pending.find(({ entry }) => entry.id === message);
    const stored = handle.log.known(message);
    const bodies = [
      ...(stored === null ? [] : [stored.body]),
      ...(waiting === undefined ? [] : [parseEvent(waiting.entry.body).body]),
    ];
    const files = bodies.flatMap((body) => (body.type === 'message' ? body.attachments : []));
    return files.find(({ id }) => id === attachment) ?? null;
  }
}

const gone = (): ProblemError =>
  new ProblemError('file_gone', 'this file is not on the box any more', 'ask who sent it');

const damaged = (cause: unknown): ProblemError =>
  new ProblemError('file_damaged', 'this file is damaged, or not the one that was sent', '', cause);

/** Bytes under the type that they have, whatever somebody says. */
async function typed({ mime }: Attachment, blob: Blob): Promise<OpenedFile> {
  const head = new Uint8Array(await blob.slice(0, HEAD_BYTES).arrayBuffer());
  const type = shownAs(mime, head);
  const safe = type.showing === 'file' ? 'application/octet-stream' : type.mime;
  return { blob: blob.slice(0, blob.size, safe), shown: type.showing };
}
