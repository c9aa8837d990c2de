// The verified cards this client knows, by fingerprint and by person.
import { hex } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import type { Account } from './account';
import { verifyCard, verifyFollowingCard, type Card } from './card';
import { SealingError } from './kdf';
import { isRefusal } from './refusal';

export class Cards {
  readonly #byPrint = new Map<string, Card>();
  readonly #byUser = new Map<Id, Card[]>();
  /** Fingerprint → that of the card before it, whose key signed it too. */
  readonly #signedBy = new Map<string, string>();

  /**
   * Takes a person's cards, oldest first; each must carry its own signature. One that does not read
   * is as if it were not there; none that does is an error.
   */
  async add(user: Id, cards: readonly Uint8Array[]): Promise<void> {
    const known: Card[] = [];
    let refusal: Error | null = null;
    for (const bytes of cards) {
      try {
        known.push(await this.#readOf(user, bytes, known.at(-1)));
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refusal ??= error;
      }
    }
    if (known.length === 0 && refusal !== null) throw refusal;
    for (const card of known) this.#byPrint.set(hex(card.fingerprint), card);
    this.#byUser.set(user, known);
  }

  async #readOf(user: Id, bytes: Uint8Array, previous: Card | undefined): Promise<Card> {
    const card = await this.#read(bytes, previous);
    if (card.user !== user) throw new SealingError('the box gave another person’s card');
    return card;
  }

  async #read(bytes: Uint8Array, previous: Card | undefined): Promise<Card> {
    if (previous !== undefined) {
      try {
        const { card, signedByPrevious } = await verifyFollowingCard(bytes, previous);
        if (signedByPrevious) this.#signedBy.set(hex(card.fingerprint), hex(previous.fingerprint));
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

  /** Whether the keys of `from` signed those of `to`, directly or over keys between them. */
  leads(from: Uint8Array, to: Uint8Array): boolean {
    let at = hex(to);
    for (let steps = this.#signedBy.size; steps > 0; steps--) {
      const before = this.#signedBy.get(at);
      if (before === undefined) return false;
      if (before === hex(from)) return true;
      at = before;
    }
    return false;
  }

  /** The keys that were believed, or the newest that those have signed on to. */
  current(user: Id, believed: Uint8Array): Card | null {
    const signed = this.of(user).findLast((card) => this.leads(believed, card.fingerprint));
    return signed ?? this.byPrint(believed);
  }
}
