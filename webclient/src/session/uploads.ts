// Files on their way up: one at a time, before the message that shows them, until the box has them.
import type { AttachmentsApi } from '../api/attachments';
import { ApiError } from '../api/error';
import type { Entry, OutboxStore } from '../local/outbox';
import type { Attachment } from '../protocol/attachment';
import { eventJson, parseEvent, type Body } from '../protocol/event';
import type { Id } from '../protocol/ids';
import type { FileWork } from '../sealing/file_work';
import type { Clock } from './clock';
import type { Outbox, Problem } from './outbox';

export interface UploadsDeps {
  readonly outbox: Pick<Outbox, 'nextUpload' | 'uploaded' | 'notUploaded'>;
  readonly store: Pick<OutboxStore, 'file'>;
  readonly api: Pick<AttachmentsApi, 'upload' | 'show'>;
  readonly work: FileWork;
  readonly clock: Clock;
  readonly isOnline: () => boolean;
  /** How much of it is up, 0 to 1; null: no longer on its way. */
  readonly progressed: (file: Id, part: number | null) => void;
  /** The box calls it so. */
  readonly named: (file: Id, name: Id) => void;
  readonly failed: (error: unknown) => void;
}

type Message = Extract<Body, { type: 'message' }>;

const LATER_MS = 3_000;
/** What may be otherwise in a moment. */
const PASSING = ['too_fast', 'busy', 'broke_off', 'scanner_unavailable', 'no_files'];

function messageOf(entry: Entry): Message {
  const { body } = parseEvent(entry.body);
  if (body.type !== 'message') throw new Error('only messages have files');
  return body;
}

/** The same entry with other files. */
function withFiles(entry: Entry, files: (before: readonly Attachment[]) => Attachment[]): Entry {
  const body = messageOf(entry);
  const attachments = files(body.attachments);
  const json = eventJson({ id: entry.id, at: entry.at, body: { ...body, attachments } });
  return { ...entry, body: json };
}

/** The event for an open room: the box is told the ids and no key, and says itself what they are. */
export function openBody(entry: Entry): Uint8Array {
  const { body } = parseEvent(entry.body);
  if (body.type !== 'message' || body.attachments.length === 0) return entry.body;
  const bare = (one: Attachment): Attachment => ({
    ...one,
    seal: null,
    thumbnail: null,
    peaks: null,
  });
  return withFiles(entry, (files) => files.map(bare)).body;
}

export class Uploads {
  readonly #deps: UploadsDeps;
  #running: { readonly entry: Id; readonly stop: AbortController } | null = null;
  #later: (() => void) | null = null;
  #stopped = false;

  constructor(deps: UploadsDeps) {
    this.#deps = deps;
  }

  /** Something changed: a message with files, the network. */
  look(): void {
    if (this.#running !== null || this.#stopped || !this.#deps.isOnline()) return;
    const entry = this.#deps.outbox.nextUpload();
    const [file] = entry?.uploads ?? [];
    if (entry === null || file === undefined) return;
    const stop = new AbortController();
    this.#running = { entry: entry.id, stop };
    void this.#upload(entry, file, stop.signal)
      .catch((error: unknown) => this.#deps.failed(error))
      .finally(() => {
        this.#running = null;
        this.#deps.progressed(file, null);
        if (this.#later === null) this.look();
      });
  }

  /** The message was taken back. */
  cancel(entry: Id): void {
    if (this.#running?.entry === entry) this.#running.stop.abort();
  }

  /** The network is back: nothing waits any longer. */
  wake(): void {
    this.#later?.();
    this.#later = null;
    this.look();
  }

  /** Another tab leads: what is under way goes up from there. */
  pause(): void {
    this.#later?.();
    this.#later = null;
    this.#running?.stop.abort();
  }

  stop(): void {
    this.#stopped = true;
    this.pause();
  }

  async #upload(entry: Entry, file: Id, signal: AbortSignal): Promise<void> {
    const { api, outbox } = this.#deps;
    try {
      const [upload, name] = await this.#prepared(entry, file);
      const progress = (sent: number): void =>
        this.#deps.progressed(file, Math.min(1, sent / Math.max(1, upload.size)));
      progress(0);
      const id = await api.upload({ room: entry.room, name, file: upload, progress, signal });
      if (entry.sealed) await api.show(id, entry.id);
      this.#deps.named(file, id);
      const uploads = entry.uploads.filter((one) => one !== file);
      const renamed = withFiles(entry, (files) =>
        files.map((one) => (one.id === file ? { ...one, id } : one)),
      );
      await outbox.uploaded({ ...renamed, uploads }, file);
    } catch (error) {
      if (signal.aborted) return;
      if (isPassing(error)) return this.#tryLater();
      await outbox.notUploaded(entry, problemOf(error));
    }
  }

  /** What goes up: the age file, or in an open room what is in it. */
  async #prepared(entry: Entry, file: Id): Promise<readonly [Blob, string]> {
    const sealed = await this.#deps.store.file(file);
    const about = messageOf(entry).attachments.find(({ id }) => id === file);
    if (sealed === null || about === undefined || about.seal === null) {
      throw new Error('the file is not in this browser any more');
    }
    if (entry.sealed) return [sealed, ''];
    return [await this.#deps.work.open(about.seal, sealed), about.name];
  }

  #tryLater(): void {
    this.#later ??= this.#deps.clock.after(LATER_MS, () => {
      this.#later = null;
      this.look();
    });
  }
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.status === 0 || error.status === 401 || PASSING.includes(error.code);
}

function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) {
    const { code, message, hint } = error;
    return { code, message, hint };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'not_uploaded', message, hint: 'choose the file again' };
}
