// Facts and what is on its way become the timeline: edits, reactions, erasures, gaps, copies.
import { Order, type Numbered } from '../sealing/order';
import type { Fact } from '../session/fact';
import type { Span } from '../session/stretch';
import { attachmentItem } from './attached';
import {
  edit,
  finished,
  quoteOf,
  quoteOfFact,
  ReactionSet,
  type Draft,
  type EventFact,
} from './folded';
import type { Change, Delivery, Mark, Person, PostItem, Quote, TimelineItem } from './model';

/** An own event that is not on the box yet, or whose echo has not come. */
export interface Pending {
  readonly fact: EventFact;
  readonly delivery: Delivery;
}

export interface TimelineInput {
  /** Ascending positions. */
  readonly facts: readonly Fact[];
  readonly pending: readonly Pending[];
  readonly me: string;
  /** The facts begin with the room's first event. */
  readonly complete: boolean;
  /** Of these positions nothing is left out that was read; null: only of those side by side. */
  readonly run: Span | null;
  /** Whether an event comes again, by what was read of its writer and is not among the facts. */
  readonly isLate?: (fact: Fact) => boolean;
  readonly person: (id: string) => Person;
  readonly device: (id: string) => string;
  /** A message that is not among the facts, for a quote. */
  readonly known?: (id: string) => EventFact | null;
}

type Slot = Draft | TimelineItem;

class Folding {
  readonly #input: TimelineInput;
  readonly slots: Slot[] = [];
  readonly #drafts = new Map<string, Draft>();
  readonly #posts = new Map<string, PostItem>();
  readonly #reactions = new Map<string, ReactionSet>();
  readonly #order: Order;
  #last = 0;
  /** When the item before was stored. */
  #lastAt = 0;
  #epoch = 0;

  constructor(input: TimelineInput) {
    this.#input = input;
    const from = input.run?.from ?? input.facts[0]?.position ?? 1;
    this.#order = new Order(input.complete && from <= 1);
  }

  take(fact: Fact): void {
    // The box can leave out an event with its place: what was read speaks for all of its run.
    const within = fact.position <= (this.#input.run?.to ?? 0);
    if (this.#last > 0 && !within && fact.position !== this.#last + 1) this.#order.skip();
    this.#last = fact.kind === 'damaged' ? fact.to : fact.position;
    if (fact.kind !== 'damaged') this.#lastAt = fact.at;
    switch (fact.kind) {
      case 'event':
        return this.event(fact, { kind: 'stored' });
      case 'post':
        return this.#post(fact);
      case 'line':
        return this.#line(fact);
      case 'stub':
        return this.#stub(fact);
      case 'damaged':
        return this.#damaged(fact);
    }
  }

  event(fact: EventFact, delivery: Delivery): void {
    if (!this.#order.isNew(fact.id)) return;
    const pending = fact.position === PENDING;
    const strange = pending ? null : this.#count(fact.sender, fact.number, fact.id, fact);
    const { body } = fact;
    const marks: Mark[] = [];
    if (strange !== null) marks.push(strange);
    if (fact.epoch > 0 && fact.epoch < this.#epoch) marks.push('old_key');
    if (fact.changedCard) marks.push('changed_card');
    // Not by the box's own line alone: it might leave that out.
    this.#epoch = Math.max(this.#epoch, fact.epoch);
    if (body.type === 'message') {
      this.#message(fact, body, marks, delivery);
      return;
    }
    if (body.type === 'room') return;
    const target = this.#drafts.get(body.target);
    if (body.type === 'delete') {
      // In an open room the box has judged; in a sealed one only the sender's word counts.
      if (target !== undefined && (fact.epoch === 0 || target.item.sender.id === fact.sender)) {
        this.#erase(target, fact.sender);
      }
      return;
    }
    if (target !== undefined && delivery.kind !== 'stored') {
      const what = body.type === 'edit' ? 'edit' : 'reaction';
      target.change = worse(target.change, { id: fact.id, what, delivery });
    }
    if (delivery.kind === 'failed') return;
    if (body.type === 'react') {
      this.#reactionsOf(body.target).put(fact.sender, body.emoji, body.on);
    } else if (target !== undefined && edit(target, fact, body.content)) {
      // What is strange about an edit is strange about the text that it made.
      const known = target.item.marks;
      target.item = { ...target.item, marks: [...new Set([...known, ...marks])] };
    }
  }

  #message(
    fact: EventFact,
    body: Extract<EventFact['body'], { type: 'message' }>,
    marks: readonly Mark[],
    delivery: Delivery,
  ): void {
    const { id, position, at, sender } = fact;
    this.#add({
      kind: 'draft',
      item: {
        kind: 'message',
        id,
        position: position === PENDING ? null : position,
        at,
        sender: this.#input.person(sender),
        own: sender === this.#input.me,
        parentId: body.parentId,
        tone: body.tone,
        attachments: body.attachments.map(attachmentItem),
        marks,
        delivery,
        reach: null,
      },
      storedAt: at,
      texts: [{ text: body.content, at }],
      mentions: body.mentions,
      deleted: false,
      deletedBy: null,
      change: null,
    });
  }

  #add(draft: Draft): void {
    this.#drafts.set(draft.item.id, draft);
    this.slots.push(draft);
  }

  #reactionsOf(id: string): ReactionSet {
    const known = this.#reactions.get(id);
    if (known !== undefined) return known;
    const made = new ReactionSet();
    this.#reactions.set(id, made);
    return made;
  }

  #erase(draft: Draft, by: string | null): void {
    draft.deleted = true;
    if (by !== null) draft.deletedBy ??= this.#input.person(by);
  }

  /** Follows a writer's numbers; puts a gap before what follows it. What is strange about this one. */
  #count(sender: string, number: Numbered | null, id: string, fact: Fact): Mark | null {
    if (number === null) return null;
    const { missing, strange } = this.#order.take(sender, number, id);
    if (missing > 0) this.#gap(sender, missing, id, fact);
    return strange ?? (this.#input.isLate?.(fact) === true ? 'out_of_turn' : null);
  }

  #gap(sender: string, count: number, id: string, { position, at }: Fact): void {
    const person = this.#input.person(sender);
    this.slots.push({ kind: 'gap', id: `gap-${id}`, position, at, count, sender: person });
  }

  #post(fact: Extract<Fact, { kind: 'post' }>): void {
    if (!this.#order.isNew(fact.id)) return;
    const { id, position, at, sealedBy, oldKey } = fact;
    const device = { id: fact.device, name: this.#input.device(fact.device) };
    const placed = { kind: 'post', id, position, at, device, sealedBy, oldKey } as const;
    const item: PostItem = { ...placed, ...fact.post, reactions: [] };
    this.#posts.set(id, item);
    this.slots.push(item);
  }

  #line(fact: Extract<Fact, { kind: 'line' }>): void {
    const { line, position, at } = fact;
    if (line.type === 'epoch' && line.epoch !== null) {
      this.#epoch = Math.max(this.#epoch, line.epoch);
    }
    if (line.type === 'erased' && line.target !== null) {
      const target = this.#drafts.get(line.target);
      if (target !== undefined) return this.#erase(target, line.by);
      const post = this.#posts.get(line.target);
      if (post !== undefined) this.slots.splice(this.slots.indexOf(post), 1);
      // What is left of an edit, or of what was erased before: said where the message stood.
      if (this.#order.knows(line.target)) return;
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
    const { position, at, reason, sender, by } = fact;
    const id = fact.id ?? `stub-${position}`;
    if (!this.#order.isNew(id)) return;
    if (sender !== null) this.#count(sender, fact.number, id, fact);
    const of = (one: string | null): Person | null =>
      one === null ? null : this.#input.person(one);
    if (reason !== 'erased' || sender === null) {
      this.slots.push({
        kind: 'stub',
        id,
        position,
        at,
        reason,
        sender: of(sender),
        by: of(by),
      });
      return;
    }
    const empty = {
      type: 'message',
      content: '',
      parentId: null,
      mentions: [],
      attachments: [],
      tone: null,
    } as const;
    const gone = { position, at, id: id as EventFact['id'], sender };
    const none = { number: null, epoch: 0, changedCard: false, body: empty } as const;
    this.#message({ kind: 'event', ...gone, ...none }, empty, [], { kind: 'stored' });
    const draft = this.#drafts.get(id);
    if (draft !== undefined) this.#erase(draft, by);
  }

  #damaged({ position, to }: Extract<Fact, { kind: 'damaged' }>): void {
    const id = `damaged-${position}`;
    this.slots.push({ kind: 'damaged', id, position, at: this.#lastAt, count: to - position + 1 });
    // Who wrote there is not known: nobody's numbers have a gap.
    this.#order.skip();
  }

  /** The timeline, once everything is taken. */
  finish(): TimelineItem[] {
    const { me, person } = this.#input;
    const quote = (id: string): Quote => {
      const slot = this.#drafts.get(id) ?? this.#posts.get(id);
      const known = slot === undefined ? this.#input.known?.(id) : null;
      return known === null || known === undefined ? quoteOf(slot, id) : quoteOfFact(known, person);
    };
    const reactions = (id: string): ReactionSet | undefined => this.#reactions.get(id);
    const finishing = { me: person(me), person, reactions, quote };
    return this.slots.map((slot) => {
      if (slot.kind === 'draft') return finished(slot, finishing);
      if (slot.kind !== 'post') return slot;
      return { ...slot, reactions: reactions(slot.id)?.list(me, person) ?? [] };
    });
  }
}

/** Of two changes the one to speak of: the failed one, else the newer. */
function worse(one: Change | null, other: Change): Change {
  return one?.delivery.kind === 'failed' ? one : other;
}

/** The position of an event that has none yet. */
export const PENDING = Number.MAX_SAFE_INTEGER;

/** The timeline, oldest first. The same facts give the same timeline, in whatever order they came. */
export function timelineOf(input: TimelineInput): TimelineItem[] {
  const folding = new Folding(input);
  for (const fact of input.facts) folding.take(fact);
  for (const { fact, delivery } of input.pending) folding.event(fact, delivery);
  return folding.finish();
}
