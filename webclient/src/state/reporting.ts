// Reporting a message to those who keep order; of a sealed room it is shown to them if one wants.
import { parseId, type Id } from '../protocol/ids';
import { isRefusal } from '../sealing/refusal';
import type { EventFact } from '../session/relations';
import { everyone } from './everyone';
import type { Home } from './home';
import { may, runsHouse } from './may';
import { EDIT_MS, type Person } from './model';
import { ProblemError } from './problem';
import type { RoomHandle } from './room';

const gone = (): ProblemError => new ProblemError('not_found', 'this message is not here', '');

function reported(home: Home, message: string): { handle: RoomHandle; fact: EventFact } {
  const handle = home.current;
  const fact = handle?.log.known(message) ?? null;
  if (handle === null || fact === null) throw gone();
  return { handle, fact };
}

/** Those who decide reports of a room: who runs the house, and who keeps order in the room (docs). */
async function deciders(home: Home, { room, company }: RoomHandle): Promise<Id[]> {
  const people = await everyone(home);
  home.people.learn(people);
  const running = people.filter(({ role }) => runsHouse(role)).map(({ id }) => id);
  const here = (company?.members ?? []).filter(({ role }) => may(role, 'moderate', room.type));
  return [...new Set([...running, ...here.map(({ user }) => user.id)])];
}

/** Who could read a message if its report showed it; its writer decides nothing about it. */
export async function moderatorsOf(home: Home, message: string): Promise<readonly Person[]> {
  const { handle, fact } = reported(home, message);
  const all = await deciders(home, handle);
  return all.filter((id) => id !== fact.sender).map((id) => home.people.person(id));
}

/** The message as it lies on the box, and what it was last edited to. */
async function wiresOf(
  home: Home,
  { room, log }: RoomHandle,
  fact: EventFact,
): Promise<Uint8Array[]> {
  const edits = log.relations.changesAfter(fact.position, [fact]).filter((one) => {
    const edit = one.kind === 'event' && one.body.type === 'edit';
    return edit && one.sender === fact.sender && one.at - fact.at <= EDIT_MS;
  });
  const places = [fact.position, ...edits.slice(-1).map(({ position }) => position)];
  return Promise.all(
    places.map(async (position) => {
      const query = { limit: 1, after: position - 1 };
      const [item] = (await home.parts.api.messages.page(room.id, query)).items;
      if (item?.kind !== 'sealed' || item.position !== position) throw gone();
      return item.bytes;
    }),
  );
}

async function evidenceOf(home: Home, handle: RoomHandle, fact: EventFact): Promise<Uint8Array> {
  const to = (await moderatorsOf(home, fact.id)).map(({ id }) => parseId(id));
  for (const id of to) await home.keeper.meet(id);
  const wires = await wiresOf(home, handle, fact);
  try {
    return (await home.parts.sealing.disclose(handle.room.id, wires, to)).file;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const hint = 'report it without showing it';
    throw new ProblemError('cannot_show', 'the message cannot be shown to anybody', hint, error);
  }
}

/** `show`: those who keep order can read a sealed room's message. */
export async function reportMessage(
  home: Home,
  message: string,
  reason: string,
  show: boolean,
): Promise<void> {
  const { handle, fact } = reported(home, message);
  const shown = show && handle.room.sealing === 'sealed';
  const evidence = shown ? await evidenceOf(home, handle, fact) : null;
  await home.parts.api.messages.report(fact.id, reason, evidence);
}
