// Bundles and cards as the box served them: sealed or public, judged anew at each start.
import type { Id } from '../protocol/ids';
import type { Shelf } from './shelf';

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;

export class KeyStore {
  readonly #shelf: Shelf;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  async bundles(room: Id): Promise<Uint8Array[]> {
    return (await this.#shelf.list('bundles', { prefix: `${room}/` })).filter(isBytes);
  }

  keepBundles(
    room: Id,
    bundles: readonly { readonly epoch: number; readonly bundle: Uint8Array }[],
  ): Promise<void> {
    return this.#shelf.write(
      bundles.map(({ epoch, bundle }) => ({
        put: 'bundles',
        key: `${room}/${String(epoch).padStart(10, '0')}`,
        value: bundle,
      })),
    );
  }

  async cards(user: Id): Promise<Uint8Array[]> {
    const kept = await this.#shelf.get('cards', user);
    return Array.isArray(kept) ? kept.filter(isBytes) : [];
  }

  keepCards(user: Id, cards: readonly Uint8Array[]): Promise<void> {
    return this.#shelf.write([{ put: 'cards', key: user, value: [...cards] }]);
  }
}
