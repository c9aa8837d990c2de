// The files of the box in memory: taken, shown, read, as far as the client asks.
import { isId, parseId, type Id } from '../protocol/ids';
import { parseJson, record, text } from '../protocol/schema';
import type { Asking } from '../api/http';
import type { FakeHouse } from './house';

export interface FakeFile {
  readonly room: Id;
  readonly name: string | null;
  readonly blob: Blob;
  readonly by: Id;
  event: Id | null;
}

const refused = (status: number, code: string): Response =>
  Response.json({ code, message: code, hint: '' }, { status });

export class FakeFiles {
  readonly kept = new Map<Id, FakeFile>();
  /** What the next uploads are answered with instead. */
  readonly faults: ('cut' | 'quota_full')[] = [];
  /** Uploads wait until it is called. */
  held: Promise<void> | null = null;
  readonly #house: FakeHouse;

  constructor(house: FakeHouse) {
    this.#house = house;
  }

  async answer(path: string, init: Asking): Promise<Response> {
    const url = new URL(path, 'http://box');
    const token = new Headers(init.headers).get('authorization')?.replace('Bearer ', '') ?? '';
    const user = this.#house.sessions.get(token);
    if (user === undefined) return refused(401, 'sign_in');
    const [, , , id = '', leaf] = url.pathname.split('/');
    if (id === 'upload') return this.#upload(url.searchParams, init, user);
    const file = isId(id) ? this.kept.get(id) : undefined;
    if (file === undefined) return refused(404, 'not_found');
    if (leaf === 'message') {
      const { event } = parseJson(record, typeof init.body === 'string' ? init.body : '');
      file.event = parseId(text(event, 'event'));
      return new Response(null, { status: 204 });
    }
    return leaf === 'thumbnail' ? refused(404, 'no_thumbnail') : new Response(file.blob);
  }

  async #upload(query: URLSearchParams, init: Asking, by: Id): Promise<Response> {
    const { body } = init;
    if (!(body instanceof Blob)) return refused(400, 'bad_form');
    init.progress?.(body.size / 2);
    await this.held;
    if (init.signal?.aborted === true) throw new TypeError('aborted');
    const fault = this.faults.shift();
    if (fault === 'cut') throw new TypeError('network');
    if (fault !== undefined) return refused(409, fault);
    const id = this.#house.newId();
    const room = parseId(query.get('room') ?? '');
    this.kept.set(id, { room, name: query.get('filename'), blob: body, by, event: null });
    return Response.json({ id }, { status: 201 });
  }

  /** What the box says of the files that an open message names. */
  told(attachments: unknown): unknown {
    if (!Array.isArray(attachments)) return attachments;
    return attachments.map((one: unknown) => {
      const id = parseId(text(record(one, 'file')['id'], 'id'));
      const file = this.kept.get(id);
      const url = `/api/attachments/${id}`;
      return { id, filename: file?.name, size: file?.blob.size, mime: 'application/pdf', url };
    });
  }
}
