// What becomes of a message or a post while events are folded: texts, reactions, erasure.
import type { Fact } from '../session/fact';
import { attachmentItem, kindOfAll } from './attached';
import { mentioned } from './mentions';
import type { Change, MessageItem, Person, PostItem, Quote, Reaction, Version } from './model';
import { EDIT_MS } from './model';

export type EventFact = Extract<Fact, { kind: 'event' }>;

type Drawn =
  | 'text'
  | 'edited'
  | 'versions'
  | 'deleted'
  | 'deletedBy'
  | 'quote'
  | 'mentionsMe'
  | 'reactions'
  | 'change';

/** A message as far as it is folded. */
export interface Draft {
  readonly kind: 'draft';
  item: Omit<MessageItem, Drawn>;
  readonly storedAt: number;
  /** All texts so far; the last one counts. */
  readonly texts: Version[];
  readonly mentions: readonly string[];
  deleted: boolean;
  deletedBy: Person | null;
  change: Change | null;
}

/** Who put which emoji on a message: last position wins. */
export class ReactionSet {
  readonly #marks = new Map<string, { emoji: string; by: string; on: boolean }>();

  put(by: string, emoji: string, on: boolean): void {
    const key = `${by} ${plain(emoji)}`;
    // Put on again after it was taken off stands at the end.
    this.#marks.delete(key);
    this.#marks.set(key, { emoji, by, on });
  }

  list(me: string, person: (id: string) => Person): Reaction[] {
    const grouped = new Map<string, { emoji: string; by: string[] }>();
    for (const { emoji, by, on } of this.#marks.values()) {
      if (!on) continue;
      const key = plain(emoji);
      const group = grouped.get(key) ?? { emoji, by: [] };
      group.by.push(by);
      grouped.set(key, group);
    }
    return [...grouped.values()].map(({ emoji, by }) => ({
      emoji,
      by: by.map(person),
      mine: by.includes(me),
    }));
  }
}

/** An emoji without the selector that only says how it is drawn. */
export const plain = (emoji: string): string => emoji.replaceAll('\ufe0f', '');

/** Takes an edit where it counts: by the sender, within 15 minutes by the box's clock. */
export function edit(draft: Draft, fact: EventFact, text: string): boolean {
  if (draft.item.sender.id !== fact.sender || fact.at - draft.storedAt > EDIT_MS) return false;
  draft.texts.push({ text, at: fact.at });
  return true;
}

export interface Finishing {
  readonly me: Person;
  readonly person: (id: string) => Person;
  readonly reactions: (id: string) => ReactionSet | undefined;
  readonly quote: (id: string) => Quote;
}

/** The message as it is shown. */
export function finished(draft: Draft, { me, person, reactions, quote }: Finishing): MessageItem {
  const { item, texts, deleted, deletedBy, change } = draft;
  const { id, own, parentId } = item;
  const text = deleted ? '' : (texts.at(-1)?.text ?? '');
  const named = draft.mentions.includes(me.id) || mentioned(text, [me]).length > 0;
  return {
    ...item,
    text,
    attachments: deleted ? [] : item.attachments,
    edited: !deleted && texts.length > 1,
    versions: deleted || texts.length < 2 ? [] : texts,
    deleted,
    deletedBy,
    quote: deleted || parentId === null ? null : quote(parentId),
    mentionsMe: !own && !deleted && named,
    reactions: deleted ? [] : (reactions(id)?.list(me.id, person) ?? []),
    change: deleted ? null : change,
  };
}

/** What is quoted of a message or a post. */
export function quoteOf(slot: Draft | PostItem | undefined, id: string): Quote {
  if (slot === undefined) return { kind: 'away', id };
  if (slot.kind === 'post') {
    const text = [slot.title, slot.text].filter((part) => part !== null && part !== '').join(': ');
    return { kind: 'post', id, device: slot.device.name, text: text.slice(0, QUOTED) };
  }
  const { deleted, texts, item } = slot;
  const text = deleted ? '' : (texts.at(-1)?.text ?? '').slice(0, QUOTED);
  const files = deleted ? null : kindOfAll(item.attachments);
  return { kind: 'message', id, sender: item.sender, text, files, deleted };
}

/** What is quoted of a message that is not in the timeline, as it was first written. */
export function quoteOfFact(
  { id, sender, body }: EventFact,
  person: (id: string) => Person,
): Quote {
  const text = body.type === 'message' ? body.content.slice(0, QUOTED) : '';
  const files = body.type === 'message' ? kindOfAll(body.attachments.map(attachmentItem)) : null;
  return { kind: 'message', id, sender: person(sender), text, files, deleted: false };
}

/** Characters of a quote at most. */
const QUOTED = 300;
