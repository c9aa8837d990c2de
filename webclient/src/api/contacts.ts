// Whom one knows and whom one blocks.
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import { nothing, type Http } from './http';
import { user, type User } from './users';

export interface Contact {
  readonly user: User;
  /** `asked`: I asked them; `asks`: they ask me. */
  readonly state: 'asked' | 'asks' | 'accepted';
  /** ms since 1970. */
  readonly since: number;
}

const contact: s.Parser<Contact> = s.object({
  user,
  state: s.oneOf('asked', 'asks', 'accepted'),
  since: s.count,
});
const contacts = s.object({ contacts: s.list(contact) });
const blocks = s.object({ blocks: s.list(s.object({ user })) });

export class ContactsApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  async list(): Promise<readonly Contact[]> {
    return (await this.#http.ask('GET', '/api/contacts', contacts)).contacts;
  }

  /** Asks somebody, or accepts what they asked. */
  put(person: Id): Promise<Contact> {
    return this.#http.ask('PUT', `/api/contacts/${person}`, contact, { body: {} });
  }

  /** Ends it for both, or declines. */
  remove(person: Id): Promise<null> {
    return this.#http.ask('DELETE', `/api/contacts/${person}`, nothing);
  }

  async blocked(): Promise<readonly User[]> {
    return (await this.#http.ask('GET', '/api/blocks', blocks)).blocks.map((one) => one.user);
  }

  block(person: Id): Promise<null> {
    return this.#http.ask('PUT', `/api/blocks/${person}`, nothing);
  }

  unblock(person: Id): Promise<null> {
    return this.#http.ask('DELETE', `/api/blocks/${person}`, nothing);
  }
}
