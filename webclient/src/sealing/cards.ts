// The verified cards this client knows, by fingerprint and by person.
import { hex } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import type { Account } from './account';
import { verifyCard, verifyFollowingCard, type Card } from './card';
import { SealingError } from './kdf';

export class Cards {
  readonly #byPrint = new Map<string, Card>();
  readonly #byUser = new Map<Id, Card[]>();
  /** Fingerprints whose card was also signed by the key of the one before. */
  readonly #signedOn = new Set<string>();

  /** Takes a person's cards, oldest first; each must carry its own signature. */
  async add(user: Id, cards: readonly Uint8Array[]): Promise<void> {
    const known: Card[] = [];
    for (const bytes of cards) {
      const previous = known.at(-1);
      const card = await this.#read(bytes, previous);
      if (card.user !== user) throw new SealingError('the box gave another person’s card');
      this.#byPrint.set(hex(card.fingerprint), card);
      known.push(card);
    }
    this.#byUser.set(user, known);
  }

  async #read(bytes: Uint8Array, previous: Card | undefined): Promise<Card> {
    if (previous !== undefined) {
      try {
        const { card, signedByPrevious } = await verifyFollowingCard(bytes, previous);
        if (signedByPrevious) this.#signedOn.add(hex(card.fingerprint));
        return card;
      } catch (error) {
        // A new identity without the old key: a card of its own, shown as changed.
        if (!(error instanceof SealingError)) throw error;
      }
    }
    return verifyCard(bytes);
  }

  /** My own keys, whose card needs no look at the box. */
  addOwn({ user, identity, fingerprint }: Account): void {
    this.#byPrint.set(hex(fingerprint), {
      user,
      age: identity.recipient,
      ed25519: identity.ed25519,
      created: 0,
      prevCardHash: null,
      fingerprint,
      hash: new Uint8Array(32),
    });
  }

  byPrint(fingerprint: Uint8Array): Card | null {
    return this.#byPrint.get(hex(fingerprint)) ?? null;
  }

  /** All cards of a person, oldest first. */
  of(user: Id): readonly Card[] {
    return this.#byUser.get(user) ?? [];
  }

  newest(user: Id): Card | null {
    return this.of(user).at(-1) ?? null;
  }

  isSignedOn(fingerprint: Uint8Array): boolean {
    return this.#signedOn.has(hex(fingerprint));
  }
}
