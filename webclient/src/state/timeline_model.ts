// What the timeline of a room shows: messages, posts, lines, and what cannot be shown.
import type { AttachmentItem, AttachmentKind } from './files_model';
import type { Person, Problem, RoomRole } from './model';

/** How far an own message is. `stored` = on the box's disk. */
export type Delivery =
  | { readonly kind: 'queued' }
  | { readonly kind: 'sealing' }
  | { readonly kind: 'sending' }
  | { readonly kind: 'stored' }
  | { readonly kind: 'failed'; readonly problem: Problem };

export interface Reaction {
  readonly emoji: string;
  /** In the order of reacting. */
  readonly by: readonly Person[];
  readonly mine: boolean;
}

/** What a message answers. `away`: not read here yet, or gone with old history. */
export type Quote =
  | {
      readonly kind: 'message';
      readonly id: string;
      readonly sender: Person;
      readonly text: string;
      readonly files: AttachmentKind | null;
      readonly deleted: boolean;
    }
  | { readonly kind: 'post'; readonly id: string; readonly device: string; readonly text: string }
  | { readonly kind: 'away'; readonly id: string };

/** A text that a message had, from `at` on. */
export interface Version {
  readonly text: string;
  readonly at: number;
}

/** An own edit or reaction that is not stored yet. `id` is its own, for `retry` and `discard`. */
export interface Change {
  readonly id: string;
  readonly what: 'edit' | 'reaction';
  readonly delivery: Delivery;
}

/** How far a stored message of one's own is with the others of the room. */
export interface Reach {
  /** `delivered`, `read`: with all of them. */
  readonly kind: 'stored' | 'delivered' | 'read';
  readonly readBy: readonly Person[];
  readonly deliveredTo: readonly Person[];
}

/** Marks that a reader must see on a message. */
export type Mark =
  /** A known sequence number under another id: sent twice from a copied device. */
  | 'copied_writer'
  /** Numbered before what the same writer sent earlier: an old event at a new place. */
  | 'out_of_turn'
  /** Sealed under an epoch that was already replaced. */
  | 'old_key'
  /** The sender's card changed since this person was first seen. */
  | 'changed_card';

/** A message of a person. */
export interface MessageItem {
  readonly kind: 'message';
  /** Stable over its whole life, use as key. */
  readonly id: string;
  /** Null while it is only here. */
  readonly position: number | null;
  /** The box's clock once stored, until then this browser's; ms since 1970. */
  readonly at: number;
  readonly sender: Person;
  readonly own: boolean;
  /** Empty when deleted. */
  readonly text: string;
  readonly attachments: readonly AttachmentItem[];
  readonly edited: boolean;
  /** All texts it had, the current one last; empty unless edited. */
  readonly versions: readonly Version[];
  readonly deleted: boolean;
  /** Who deleted it, null while unknown. */
  readonly deletedBy: Person | null;
  readonly parentId: string | null;
  readonly quote: Quote | null;
  readonly mentionsMe: boolean;
  /** The tone indicator that came beside the text; those in the text stay there. */
  readonly tone: string | null;
  readonly reactions: readonly Reaction[];
  readonly marks: readonly Mark[];
  /** Own messages of this browser, else `stored`. */
  readonly delivery: Delivery;
  readonly change: Change | null;
  /** Own stored messages, else null. */
  readonly reach: Reach | null;
}

/** How long after storing a message its text can be changed (design §5). */
export const EDIT_MS = 15 * 60_000;

/** A post of a device: never looks like a person's. */
export interface PostItem {
  readonly kind: 'post';
  readonly id: string;
  readonly position: number;
  readonly at: number;
  readonly device: { readonly id: string; readonly name: string };
  readonly title: string | null;
  readonly text: string;
  readonly icon: string | null;
  readonly priority: 'low' | 'normal' | 'high';
  /** `device`: sealed by the device; `box`: the box saw it (open rooms). */
  readonly sealedBy: 'device' | 'box';
  /** Sealed to an older door key: the device needs the new line. */
  readonly oldKey: boolean;
  readonly reactions: readonly Reaction[];
}

/** A line of the box. `person` and `by` are null where they do not apply. */
export interface LineItem {
  readonly kind: 'line';
  readonly id: string;
  readonly position: number;
  readonly at: number;
  readonly line: 'joined' | 'left' | 'role' | 'epoch' | 'erased';
  readonly person: Person | null;
  readonly by: Person | null;
  readonly role: RoomRole | null;
  readonly epoch: number | null;
}

/** Something that is there and cannot be shown. */
export interface StubItem {
  readonly kind: 'stub';
  readonly id: string;
  readonly position: number;
  readonly at: number;
  readonly reason:
    /** Its epoch's key is not here (yet). */
    | 'waiting_for_key'
    /** Does not open under a known epoch. */
    | 'other_key'
    /** Opens, but is no event this program understands. */
    | 'unknown'
    /** Erased on the box. */
    | 'erased';
  readonly sender: Person | null;
  /** Who erased it, where that is known. */
  readonly by: Person | null;
}

/** `count` messages of one person's device never came. */
export interface GapItem {
  readonly kind: 'gap';
  readonly id: string;
  readonly position: number;
  readonly at: number;
  readonly count: number;
  readonly sender: Person;
}

/** `count` events that do not read on the box's disk; `at` is that of the item before. */
export interface DamagedItem {
  readonly kind: 'damaged';
  readonly id: string;
  readonly position: number;
  readonly at: number;
  readonly count: number;
}

export type TimelineItem = MessageItem | PostItem | LineItem | StubItem | GapItem | DamagedItem;
