// Files that were chosen and not sent: looked at, drawn anew, sealed, ready to go with a message.
import type { KeptFile } from '../local/tray_store';
import {
  FILE_BYTES_MAX,
  FILES_MAX,
  MB,
  NAME_BYTES_MAX,
  type Attachment,
} from '../protocol/attachment';
import { b64u, utf8 } from '../protocol/bytes';
import { fileType, HEAD_BYTES, shownAs, type FileType } from '../protocol/file_type';
import type { Id } from '../protocol/ids';
import type { FileWork, Picture } from '../sealing/file_work';
import { attachmentItem } from './attached';
import type { Recording, StagedFile } from './files_model';
import type { KeptTrays } from './kept_trays';
import type { Sealing } from './model';
import { ProblemError, problemOf } from './problem';

/** A file as its message tells of it, under the id that it has here, and its bytes. */
export interface Ready {
  readonly attachment: Attachment;
  /** An age file. */
  readonly sealed: Blob;
  readonly plain: Blob;
}

interface Staged {
  shown: StagedFile;
  /** The tray it lies in, and under what it is kept between reloads. */
  readonly tray: string;
  readonly key: string;
  readonly source: File;
  readonly sealing: Sealing;
  keep: boolean;
  /** Counts tries: an older one does not count any more. */
  round: number;
  ready: Promise<Ready>;
}

export interface TraysDeps {
  readonly work: FileWork;
  readonly newId: () => Id;
  readonly changed: () => void;
  /** What keeps the files between reloads. */
  readonly kept: () => Pick<KeptTrays, 'put' | 'change' | 'remove'>;
}

export const tooLarge = (bytes: number): ProblemError =>
  new ProblemError(
    'file_too_large',
    `the file has ${(bytes / MB).toFixed(1)} MB, at most ${FILE_BYTES_MAX / MB} are taken`,
    'make it smaller, or send it in parts',
  );

/** A name of at most `NAME_BYTES_MAX` bytes, its ending kept. */
export function shortName(name: string): string {
  const ending = /\.[^.]{1,10}$/.exec(name)?.[0] ?? '';
  let stem = [...name.slice(0, name.length - ending.length)];
  while (utf8(stem.join('') + ending).length > NAME_BYTES_MAX) stem = stem.slice(0, -1);
  return stem.join('') + ending;
}

/** What a file is called where its bytes do not say more than that it is some file. */
function mimeOf(type: FileType, claimed: string): string {
  return type.showing === 'file' && claimed !== '' ? claimed : type.mime;
}

export class Trays {
  readonly #deps: TraysDeps;
  readonly #rooms = new Map<string, Staged[]>();
  #chosen = 0;

  constructor(deps: TraysDeps) {
    this.#deps = deps;
  }

  shown(): Record<string, readonly StagedFile[]> {
    return Object.fromEntries(
      [...this.#rooms].map(([room, files]) => [room, files.map(({ shown }) => shown)]),
    );
  }

  choose(room: string, sealing: Sealing, files: readonly File[]): void {
    const tray = this.#rooms.get(room) ?? [];
    this.#rooms.set(room, tray);
    const taken = files.slice(0, FILES_MAX - tray.length);
    for (const source of taken) {
      const staged = this.#stage(room, source, sealing);
      tray.push(staged);
      this.#deps.kept().put(keptFile(staged), source);
    }
    this.#deps.changed();
    if (taken.length === files.length) return;
    const message = `a message shows at most ${FILES_MAX} files`;
    throw new ProblemError('too_many_files', message, 'send the others after these');
  }

  /** A file that was kept since an earlier page. */
  restore(file: KeptFile, sealing: Sealing, source: File): void {
    const tray = this.#rooms.get(file.tray) ?? [];
    if (tray.length >= FILES_MAX || tray.some(({ key }) => key === file.key)) return;
    this.#rooms.set(file.tray, tray);
    tray.push(this.#stage(file.tray, source, sealing, file));
    this.#deps.changed();
  }

  #stage(tray: string, source: File, sealing: Sealing, file?: KeptFile): Staged {
    const shown: StagedFile = {
      id: this.#deps.newId(),
      name: shortName(source.name),
      size: source.size,
      kind: 'file',
      thumbnail: null,
      state: 'preparing',
      picture: null,
      canChoose: false,
    };
    const ready = Promise.reject<Ready>(new Error('not begun'));
    ready.catch(() => undefined);
    const { key, original: keep } = file ?? { key: this.#keyOf(shown.id), original: false };
    const staged: Staged = { shown, tray, key, source, sealing, keep, round: 0, ready };
    this.#begin(staged);
    return staged;
  }

  /** In the order of choosing, within a millisecond too. */
  #keyOf(id: string): string {
    this.#chosen += 1;
    return `${id.slice(0, 13)}-${String(this.#chosen).padStart(6, '0')}-${id.slice(14)}`;
  }

  #begin(staged: Staged): void {
    const round = ++staged.round;
    const show = (change: Partial<StagedFile>): void => {
      if (staged.round !== round) return;
      staged.shown = { ...staged.shown, ...change };
      this.#deps.changed();
    };
    show({ state: 'preparing' });
    staged.ready = this.#prepare(staged, show);
    staged.ready.then(
      () => show({ state: 'ready' }),
      (error: unknown) => {
        const { code, message, hint } = problemOf(error);
        show({ state: { code, message, hint } });
      },
    );
  }

  async #prepare(staged: Staged, show: (change: Partial<StagedFile>) => void): Promise<Ready> {
    const { source, sealing, keep } = staged;
    const head = await headOf(source);
    const type = shownAs(source.type, head);
    if (sealing === 'open' && !fileType(head).open) throw notTaken();
    const { work } = this.#deps;
    const looksLike = type.showing === 'image' && source.size <= 8 * FILE_BYTES_MAX;
    const picture = looksLike ? await work.picture(source, keep) : null;
    const plain = picture?.file ?? source;
    const about = { name: staged.shown.name, mime: mimeOf(type, source.type) };
    const attachment = attachmentOf(staged.shown.id as Id, plain, about, picture);
    const { kind, thumbnail } = attachmentItem(attachment);
    show({
      kind,
      thumbnail,
      size: plain.size,
      picture: type.showing !== 'image' ? null : picture?.redrawn === true ? 'redrawn' : 'as_is',
      canChoose: picture !== null && (picture.redrawn || keep),
    });
    if (plain.size > FILE_BYTES_MAX) throw tooLarge(plain.size);
    const { seal, file: sealed } = await work.seal(plain);
    return { attachment: { ...attachment, seal }, sealed, plain };
  }

  #find(room: string, id: string): Staged | undefined {
    return this.#rooms.get(room)?.find(({ shown }) => shown.id === id);
  }

  keepOriginal(room: string, id: string, on: boolean): void {
    const staged = this.#find(room, id);
    if (staged === undefined || staged.keep === on) return;
    staged.keep = on;
    this.#deps.kept().change(keptFile(staged));
    this.#begin(staged);
  }

  /** Resolves when they are kept no longer. */
  drop(room: string, ids: readonly string[]): Promise<void> {
    const all = this.#rooms.get(room) ?? [];
    const gone = all.filter(({ shown }) => ids.includes(shown.id));
    const left = all.filter((staged) => !gone.includes(staged));
    if (left.length === 0) this.#rooms.delete(room);
    else this.#rooms.set(room, left);
    this.#deps.changed();
    return this.#deps.kept().remove(gone.map(({ key }) => key));
  }

  /** All of a room's tray, once it is ready; rejects with the first problem. */
  async take(room: string): Promise<Ready[]> {
    return Promise.all((this.#rooms.get(room) ?? []).map(({ ready }) => ready));
  }

  clear(): void {
    this.#rooms.clear();
    this.#deps.changed();
  }

  /** A voice message, ready to go. */
  async voice({ file, durationMs, peaks }: Recording, name: string): Promise<Ready> {
    if (file.size > FILE_BYTES_MAX) throw tooLarge(file.size);
    const { mime } = shownAs('audio/', await headOf(file));
    const bare = attachmentOf(this.#deps.newId(), file, { name, mime }, null);
    const { seal, file: sealed } = await this.#deps.work.seal(file);
    const heard = { durationMs: Math.max(1, Math.round(durationMs)), peaks };
    return { attachment: { ...bare, ...heard, seal }, sealed, plain: file };
  }
}

const keptFile = ({ key, tray, source, keep }: Staged): KeptFile => ({
  key,
  tray,
  name: source.name,
  type: source.type,
  original: keep,
});

async function headOf(file: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  } catch (cause) {
    const message = 'this cannot be read: it may be a folder, or gone';
    throw new ProblemError('unreadable_file', message, 'choose the files in it', cause);
  }
}

const notTaken = (): ProblemError =>
  new ProblemError(
    'bad_type',
    'an open room takes jpg, png, gif, webp, pdf, doc, docx and zip',
    'put it into a zip file',
  );

function attachmentOf(
  id: Id,
  { size }: Blob,
  about: { readonly name: string; readonly mime: string },
  picture: Picture | null,
): Attachment {
  const thumbnail = picture?.thumbnail ?? null;
  return {
    id,
    ...about,
    seal: null,
    size,
    thumbnail: thumbnail === null ? null : b64u(thumbnail),
    width: picture?.width ?? null,
    height: picture?.height ?? null,
    durationMs: null,
    peaks: null,
  };
}
