// What a person is doing with the messages of the open room: answering, editing, choosing.
import {
  EDIT_MS,
  type App,
  type MessageItem,
  type PostItem,
  type RoomView,
  type TimelineItem,
} from '../../state/model';

/** What can be answered and reacted to. */
export type Said = MessageItem | PostItem;

/** The actions of the application that a room needs. */
export type RoomApp = Pick<
  App,
  | 'people'
  | 'account'
  | 'files'
  | 'send'
  | 'edit'
  | 'react'
  | 'remove'
  | 'typing'
  | 'loadOlder'
  | 'reading'
  | 'retry'
  | 'discard'
  | 'keys'
>;

/** Five popular ones, always at hand. */
export const AT_HAND = ['👍', '❤️', '😂', '🔥', '🎉'] as const;

export interface Menu {
  readonly item: Said;
  /** What it was opened from: it stands beside it and gives the focus back. */
  readonly from: HTMLElement;
  /** Begins with the emoji, or with the actions. */
  readonly first: 'emoji' | 'actions' | 'picker';
}

export interface Shown {
  readonly kind: 'versions' | 'readers' | 'reactions' | 'remove' | 'report';
  readonly item: Said;
}

export const isSaid = (item: TimelineItem | undefined): item is Said =>
  item?.kind === 'message' || item?.kind === 'post';

/** Whether the keyboard and the menu offer anything on it. */
export const isOffered = (item: TimelineItem | undefined): item is Said =>
  isSaid(item) && !(item.kind === 'message' && item.deleted);

export class Conversation {
  /** The message that keys act on. */
  selected = $state<string | null>(null);
  /** The message under the mouse. */
  hovered = $state<string | null>(null);
  replyTo = $state.raw<Said | null>(null);
  editing = $state.raw<MessageItem | null>(null);
  menu = $state.raw<Menu | null>(null);
  shown = $state.raw<Shown | null>(null);
  /** What all that is written here answers: a thread's message. */
  within: string | undefined;
  /** The picture that is shown large, by its attachment. */
  picture = $state<string | null>(null);
  /** The messages that are selected, to be copied; null: nothing is being selected. */
  picking = $state.raw<ReadonlySet<string> | null>(null);
  /** Rises when the place to write in wants the focus. */
  wanted = $state(0);

  reply(item: Said): void {
    this.menu = null;
    this.editing = null;
    this.replyTo = item;
    this.wanted += 1;
  }

  edit(item: MessageItem): void {
    this.menu = null;
    this.replyTo = null;
    this.editing = item;
    this.wanted += 1;
  }

  show(kind: Shown['kind'], item: Said): void {
    this.menu = null;
    this.shown = { kind, item };
  }

  open(item: Said, from: HTMLElement, first: Menu['first']): void {
    this.selected = item.id;
    this.menu = { item, from, first };
  }

  /** Takes a message into the selection, or out of it. */
  pick(id: string): void {
    this.menu = null;
    const picked = new Set(this.picking);
    if (!picked.delete(id)) picked.add(id);
    this.picking = picked;
  }

  /** Ends the selection, the reply or the edit; false when there was none. */
  cancel(): boolean {
    const had = this.replyTo !== null || this.editing !== null || this.picking !== null;
    this.picking = null;
    this.replyTo = null;
    this.editing = null;
    return had;
  }
}

/** One's own message, not deleted, not yet too old to change. */
export function editable(item: TimelineItem, now: number): item is MessageItem {
  if (item.kind !== 'message' || !item.own || item.deleted) return false;
  return item.delivery.kind !== 'failed' && now - item.at <= EDIT_MS;
}

/** Who may delete it for everyone. */
export function removable(item: Said, may: RoomView['may']): boolean {
  if (item.kind === 'post') return may.erase;
  return !item.deleted && (item.own || may.erase);
}

/** The newest message of one's own that can still be changed. */
export function lastEditable(timeline: readonly TimelineItem[], now: number): MessageItem | null {
  return timeline.findLast((item): item is MessageItem => editable(item, now)) ?? null;
}
