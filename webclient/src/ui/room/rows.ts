// The timeline as rows to draw: grouped by sender, with day lines and the line of what is new.
import type { MessageItem, TimelineItem } from '../../state/model';
import { daysAgo } from '../time';

export type Row =
  | { readonly kind: 'day'; readonly key: string; readonly at: number }
  | { readonly kind: 'new'; readonly key: string }
  | {
      readonly kind: 'message';
      readonly key: string;
      readonly item: MessageItem;
      /** First and last of a group by the same person within five minutes. */
      readonly first: boolean;
      readonly last: boolean;
    }
  | {
      readonly kind: 'item';
      readonly key: string;
      readonly item: Exclude<TimelineItem, MessageItem>;
    };

const DAY = 'day-';
const NEW = 'new';

/** Whether a row stays what it is while others come: a day's line is another one with older messages. */
export const stays = (key: string): boolean => !key.startsWith(DAY) && key !== NEW;

const groupMs = 5 * 60_000;

function together(one: TimelineItem | undefined, other: TimelineItem | undefined): boolean {
  return (
    one?.kind === 'message' &&
    other?.kind === 'message' &&
    one.sender.id === other.sender.id &&
    other.at - one.at < groupMs &&
    daysAgo(one.at, other.at) === 0
  );
}

/** Rows for `items` in their order; the line of what is new stands before the item `newFrom`. */
export function rowsOf(timeline: readonly TimelineItem[], newFrom: string | null): Row[] {
  const rows: Row[] = [];
  // A new key comes with every invitation and device: who came and left is said by other lines,
  // the key's number by "who can read this".
  const items = timeline.filter((item) => item.kind !== 'line' || item.line !== 'epoch');
  items.forEach((item, at) => {
    const before = items[at - 1];
    const after = items[at + 1];
    if (before === undefined || daysAgo(before.at, item.at) !== 0) {
      rows.push({ kind: 'day', key: `${DAY}${item.id}`, at: item.at });
    }
    if (item.id === newFrom) rows.push({ kind: 'new', key: NEW });
    if (item.kind === 'message') {
      const first = !together(before, item) || item.id === newFrom;
      const last = !together(item, after) || after?.id === newFrom;
      rows.push({ kind: 'message', key: item.id, item, first, last });
    } else {
      rows.push({ kind: 'item', key: item.id, item });
    }
  });
  return rows;
}

/** The first item that somebody else wrote above what was read; null when all is read. */
export function firstNew(items: readonly TimelineItem[], readTo: number): string | null {
  const found = items.find((item) => {
    if (item.kind === 'line' || item.kind === 'gap' || (item.position ?? 0) <= readTo) return false;
    return item.kind !== 'message' || (!item.own && !item.deleted);
  });
  return found?.id ?? null;
}
