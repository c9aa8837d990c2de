// A room's line in the list: its last words, what is unread, and whether one is named in it.
import type { Fact } from '../session/fact';
import { attachmentItem, kindOfAll } from './attached';
import type { AttachmentKind } from './files_model';
import type { EventFact } from './folded';
import { mentioned } from './mentions';
import { EDIT_MS, type RoomSummary } from './model';
import type { People } from './people';
import { deviceName, type RoomHandle } from './room';

interface Last {
  readonly at: number;
  readonly text: string;
  readonly sender: string | null;
  readonly files: AttachmentKind | null;
}

interface Changes {
  readonly deleted: ReadonlySet<string>;
  /** Target → its edits, newest first. */
  readonly edits: ReadonlyMap<string, readonly EventFact[]>;
}

/** What later events did to earlier ones. */
function changesOf(facts: readonly Fact[]): Changes {
  const senders = new Map<string, string>();
  const deleted = new Set<string>();
  const edits = new Map<string, EventFact[]>();
  for (const fact of facts) {
    if (fact.kind === 'line' && fact.line.type === 'erased' && fact.line.target !== null) {
      deleted.add(fact.line.target);
    }
    if (fact.kind !== 'event') continue;
    const { body, sender } = fact;
    if (body.type === 'message') senders.set(fact.id, sender);
    if (body.type === 'delete' && (fact.epoch === 0 || senders.get(body.target) === sender)) {
      deleted.add(body.target);
    }
    if (body.type === 'edit' && senders.get(body.target) === sender) {
      edits.set(body.target, [fact, ...(edits.get(body.target) ?? [])]);
    }
  }
  return { deleted, edits };
}

function textOf(fact: EventFact, { edits }: Changes): string {
  const counts = edits.get(fact.id)?.find(({ at }) => at - fact.at <= EDIT_MS);
  const { body } = counts ?? fact;
  return body.type === 'message' || body.type === 'edit' ? body.content : '';
}

function lastOf(handle: RoomHandle, people: People, changes: Changes): Last | null {
  for (const fact of handle.log.newest().toReversed()) {
    if (fact.kind === 'event' && fact.body.type === 'message' && !changes.deleted.has(fact.id)) {
      const sender = people.person(fact.sender).displayName;
      const files = kindOfAll(fact.body.attachments.map(attachmentItem));
      return { at: fact.at, text: textOf(fact, changes), sender, files };
    }
    if (fact.kind === 'post' && !changes.deleted.has(fact.id)) {
      const text = fact.post.title ?? fact.post.text;
      return { at: fact.at, text, sender: deviceName(handle, fact.device), files: null };
    }
  }
  return null;
}

function newsOf(
  handle: RoomHandle,
  people: People,
  me: string,
  changes: Changes,
): { unread: number; mentions: number } {
  const myself = people.person(me);
  let [unread, mentions] = [0, 0];
  for (const fact of handle.log.newest()) {
    if (fact.position <= handle.log.read) continue;
    if (fact.kind === 'post' && !changes.deleted.has(fact.id)) unread += 1;
    if (fact.kind === 'stub' && fact.reason !== 'erased' && fact.sender !== me) unread += 1;
    if (fact.kind !== 'event' || fact.body.type !== 'message' || fact.sender === me) continue;
    if (changes.deleted.has(fact.id)) continue;
    unread += 1;
    const named = mentioned(textOf(fact, changes), [myself]).length > 0;
    if (named || fact.body.mentions.some((one) => one === me)) mentions += 1;
  }
  return { unread, mentions };
}

export function summaryOf(handle: RoomHandle, people: People, me: string): RoomSummary {
  const { id, name, type, sealing, general, myRole, lastMessageAt, directWith } = handle.room;
  const changes = changesOf(handle.log.newest());
  const last = lastOf(handle, people, changes);
  return {
    id,
    name,
    type,
    sealing,
    general,
    other:
      directWith === null
        ? null
        : {
            // Until the box has said who it is, the room's name is theirs.
            person: {
              ...people.person(directWith),
              ...(people.has(directWith) ? {} : { displayName: name }),
            },
            presence: people.seen(directWith)?.presence ?? null,
          },
    myRole: myRole ?? 'member',
    lastMessageAt: last?.at ?? lastMessageAt,
    lastText: last?.text.slice(0, 200) ?? null,
    lastSender: last?.sender ?? null,
    lastFiles: last?.files ?? null,
    ...newsOf(handle, people, me, changes),
  };
}

/** Newest message first; rooms without one by name. */
export function sortRooms(rooms: readonly RoomSummary[]): RoomSummary[] {
  return rooms.toSorted(
    (a, b) => (b.lastMessageAt ?? 0) - (a.lastMessageAt ?? 0) || a.name.localeCompare(b.name),
  );
}

/** The rows shown before where nothing in them changed, so that whoever watches is not woken. */
export function kept(
  before: readonly RoomSummary[],
  after: readonly RoomSummary[],
): readonly RoomSummary[] {
  const rows = after.map((row) => {
    const same = before.find(({ id }) => id === row.id);
    return same !== undefined && JSON.stringify(same) === JSON.stringify(row) ? same : row;
  });
  const unchanged = rows.length === before.length && rows.every((row, at) => row === before[at]);
  return unchanged ? before : rows;
}
