// Which kind of event an entry becomes in a sealed room, and what it tells the box beside (§4).
import type { Entry } from '../local/outbox';
import { parseEvent } from '../protocol/event';
import type { KeyView, ToSeal } from '../sealing/requests';

/** People whom one event may name to the box. */
const HINTS_MAX = 255;

/** Whom it names is told to the box only where the room's rules have hints. */
export function marksOf(
  { target, body }: Pick<Entry, 'target' | 'body'>,
  view: KeyView | null,
): Pick<ToSeal, 'kind' | 'target' | 'notify'> {
  if (target !== null) return { kind: 2, target, notify: [] };
  if (view?.rules?.hints !== true) return { kind: 1, target, notify: [] };
  const { body: said } = parseEvent(body);
  const named = said.type === 'message' ? said.mentions : [];
  const notify = named.filter((user) => view.members.includes(user)).slice(0, HINTS_MAX);
  return { kind: notify.length > 0 ? 4 : 1, target, notify };
}
