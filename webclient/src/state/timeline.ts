// Facts and what is on its way become the timeline: edits, reactions, erasures, gaps, copies.
import type { Fact, Numbered } from '../session/fact';
import type { Delivery, Mark, MessageItem, Person, Reaction, TimelineItem } from './model';

/** An edit counts for 15 minutes by the box's clock (design §5). */
const EDIT_MS = 15 * 60_000;

/** An own event that is not on the box yet, or whose echo has not come. */
export interface Pending {
  readonly fact: Extract<Fact, { kind: 'event' }>;
  readonly delivery: Delivery;
}

export interface TimelineInput {
  /** Ascending positions. */
  readonly facts: readonly Fact[];
  readonly pending: readonly Pending[];
  readonly me: string;
  /** The facts begin with the room's first event. */
  readonly complete: boolean;
  readonly person: (id: string) => Person;
  readonly device: (id: string) => string;
}

interface Draft {
  readonly item: Omit<MessageItem, 'text' | 'edited' | 'deleted' | 'reactions'>;
  readonly storedAt: number;
  text: string;
  edited: boolean;
  deleted: boolean;
  /** emoji and person → on. */
  readonly reactions: Map<string, { emoji: string; by: string; on: boolean }>;
}

type Slot = Draft | TimelineItem;
const isDraft = (slot: Slot): slot is Draft => 'item' in slot;

/** What one writer has numbered so far. */
interface Writer {
  seq: number;
  readonly ids: Map<number, string>;
  /** Position of its last event. */
  at: number;
}

class Folding {
  readonly #input: TimelineInput;
  readonly slots: Slot[] = [];
  readonly #drafts = new Map<string, Draft>();
  readonly #seen = new Set<string>();
  readonly #writers = new Map<string, Writer>();
  /** Position where the unbroken run that is being read began. */
  #runFrom = 0;
  #last = 0;
  #epoch = 0;

  constructor(input: TimelineInput) {
    this.#input = input;
  }

  take(fact: Fact): void {
    if (fact.position !== this.#last + 1) this.#runFrom = fact.position;
    this.#last = fact.position;
    switch (fact.kind) {
      case 'event':
        return this.event(fact, { kind: 'stored' });
      case 'post':
        return this.#post(fact);
      case 'line':
        return this.#line(fact);
      case 'stub':
        return this.#stub(fact);
    }
  }

  event(fact: Extract<Fact, { kind: 'event' }>, delivery: Delivery): void {
    if (this.#seen.has(fact.id)) return;
    this.#seen.add(fact.id);
    const pending = fact.position === PENDING;
    const copied = pending ? false : this.#count(fact.sender, fact.number, fact.id, fact);
    const { body } = fact;
    const isOld = fact.epoch > 0 && fact.epoch < this.#epoch;
    // Not by the box's own line alone: it might leave that out.
    this.#epoch = Math.max(this.#epoch, fact.epoch);
    if (body.type === 'message') {
      const marks: Mark[] = [];
      if (copied) marks.push('copied_writer');
      if (isOld) marks.push('old_key');
      if (fact.changedCard) marks.push('changed_card');
      const draft: Draft = {
        item: {
          kind: 'message',
          id: fact.id,
          position: pending ? null : fact.position,
          at: fact.at,
          sender: this.#input.person(fact.sender),
          own: fact.sender === this.#input.me,
          parentId: body.parentId,
          marks,
          delivery,
        },
        storedAt: fact.at,
        text: body.content,
        edited: false,
        deleted: false,
        reactions: new Map(),
      };
      this.#drafts.set(fact.id, draft);
      this.slots.push(draft);
      return;
    }
    if (body.type === 'room') return;
    const target = this.#drafts.get(body.target);
    if (target === undefined) return;
    const bySender = target.item.sender.id === fact.sender;
    if (body.type === 'react') {
      const emoji = body.emoji.replaceAll('\ufe0f', '');
      target.reactions.set(`${fact.sender} ${emoji}`, {
        emoji: body.emoji,
        by: fact.sender,
        on: body.on,
      });
    } else if (body.type === 'delete') {
      if (bySender) target.deleted = true;
    } else if (bySender && fact.at - target.storedAt <= EDIT_MS) {
      target.text = body.content;
      target.edited = true;
    }
  }

  /** Follows a writer's numbers; puts a gap before what follows it. True: a copied writer. */
  #count(sender: string, number: Numbered | null, id: string, fact: Fact): boolean {
    if (number === null) return false;
    const key = `${sender} ${number.writer}`;
    const known = this.#writers.get(key);
    if (known === undefined) {
      const fromStart = this.#input.complete && this.#runFrom <= 1;
      if (fromStart && number.seq > 1) this.#gap(sender, number.seq - 1, id, fact);
      const ids = new Map([[number.seq, id]]);
      this.#writers.set(key, { seq: number.seq, ids, at: fact.position });
      return false;
    }
    const other = known.ids.get(number.seq);
    const copied = other !== undefined && other !== id;
    const missing = number.seq - known.seq - 1;
    if (missing > 0 && known.at >= this.#runFrom) this.#gap(sender, missing, id, fact);
    known.ids.set(number.seq, id);
    known.seq = Math.max(known.seq, number.seq);
    known.at = fact.position;
    return copied;
  }

  #gap(sender: string, count: number, id: string, { position, at }: Fact): void {
    const person = this.#input.person(sender);
    this.slots.push({ kind: 'gap', id: `gap-${id}`, position, at, count, sender: person });
  }

  #post(fact: Extract<Fact, { kind: 'post' }>): void {
    if (this.#seen.has(fact.id)) return;
    this.#seen.add(fact.id);
    const { id, position, at, sealedBy, oldKey } = fact;
    const device = { id: fact.device, name: this.#input.device(fact.device) };
    this.slots.push({ kind: 'post', id, position, at, device, sealedBy, oldKey, ...fact.post });
  }

  #line(fact: Extract<Fact, { kind: 'line' }>): void {
    const { line, position, at } = fact;
    if (line.type === 'epoch' && line.epoch !== null) {
      this.#epoch = Math.max(this.#epoch, line.epoch);
    }
    if (line.type === 'erased' && line.target !== null) {
      const target = this.#drafts.get(line.target);
      if (target !== undefined) target.deleted = true;
    }
    // A new name or a pin: shown with the room, not among its messages.
    if (line.type === 'room') return;
    const of = (id: string | null): Person | null => (id === null ? null : this.#input.person(id));
    this.slots.push({
      kind: 'line',
      id: `line-${position}`,
      position,
      at,
      line: line.type,
      person: of(line.user),
      by: of(line.by),
      role: line.role,
      epoch: line.epoch,
    });
  }

  #stub(fact: Extract<Fact, { kind: 'stub' }>): void {
    const { position, at, reason, sender } = fact;
    const id = fact.id ?? `stub-${position}`;
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    if (sender !== null) this.#count(sender, fact.number, id, fact);
    const person = sender === null ? null : this.#input.person(sender);
    this.slots.push({ kind: 'stub', id, position, at, reason, sender: person });
  }
}

/** The position of an event that has none yet. */
export const PENDING = Number.MAX_SAFE_INTEGER;

function reactionsOf(draft: Draft, me: string): Reaction[] {
  const grouped = new Map<string, { emoji: string; by: string[] }>();
  for (const { emoji, by, on } of draft.reactions.values()) {
    if (!on) continue;
    const key = emoji.replaceAll('\ufe0f', '');
    const group = grouped.get(key) ?? { emoji, by: [] };
    group.by.push(by);
    grouped.set(key, group);
  }
  return [...grouped.values()].map(({ emoji, by }) => ({ emoji, by, mine: by.includes(me) }));
}

/** The timeline, oldest first. The same facts give the same timeline, in whatever order they came. */
export function timelineOf(input: TimelineInput): TimelineItem[] {
  const folding = new Folding(input);
  for (const fact of input.facts) folding.take(fact);
  for (const { fact, delivery } of input.pending) folding.event(fact, delivery);
  return folding.slots.map((slot) => {
    if (!isDraft(slot)) return slot;
    const { item, text, edited, deleted } = slot;
    const shown = deleted ? '' : text;
    return { ...item, text: shown, edited, deleted, reactions: reactionsOf(slot, input.me) };
  });
}
