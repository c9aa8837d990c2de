// Files: uploaded for a room, shown in a message, read.
import { FILE_BYTES_MAX, SEALING_BYTES_MAX } from '../protocol/attachment';
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import { nothing, type Http } from './http';

const uploaded = s.object({ id: s.id });

export interface Upload {
  readonly room: Id;
  /** Empty where the box shall not know it. */
  readonly name: string;
  readonly file: Blob;
  /** Bytes that have gone so far. */
  readonly progress: (sent: number) => void;
  readonly signal: AbortSignal;
}

/** The box waits as long for an upload. */
const UPLOAD_MS = 15 * 60_000;
const DOWNLOAD_MS = 5 * 60_000;

export class AttachmentsApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  /** The id under which the box keeps it. */
  async upload({ room, name, file, progress, signal }: Upload): Promise<Id> {
    const query = new URLSearchParams({ room, ...(name === '' ? {} : { filename: name }) });
    const asked = { file, progress, signal, timeoutMs: UPLOAD_MS };
    const path = `/api/attachments/upload?${query}`;
    return (await this.#http.ask('POST', path, uploaded, asked)).id;
  }

  /** A picture to be one's own; the id under which the box keeps it. */
  async uploadAvatar(file: Blob): Promise<Id> {
    const path = '/api/attachments/upload?avatar=1';
    return (await this.#http.ask('POST', path, uploaded, { file, timeoutMs: UPLOAD_MS })).id;
  }

  /** In which message of a sealed room it is shown. */
  show(id: Id, event: Id): Promise<null> {
    return this.#http.ask('PUT', `/api/attachments/${id}/message`, nothing, { body: { event } });
  }

  /** The file as it lies on the box. */
  read(id: Id, signal?: AbortSignal): Promise<Blob> {
    return this.#http.read(`/api/attachments/${id}`, FILE_BYTES_MAX + SEALING_BYTES_MAX, {
      timeoutMs: DOWNLOAD_MS,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** The box's small picture of an image in an open room. */
  thumbnail(id: Id, signal?: AbortSignal): Promise<Blob> {
    return this.#http.read(`/api/attachments/${id}/thumbnail`, FILE_BYTES_MAX, {
      ...(signal === undefined ? {} : { signal }),
    });
  }
}
