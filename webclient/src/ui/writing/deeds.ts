// What commands do on the box: the same actions as the panels', by name.
import type { App, MemberView, RoomView } from '../../state/model';
import { ProblemError } from '../../state/problem';
import { folded } from '../../protocol/folded';
import { roomAddress } from '../permalink';
import { PublicList } from '../rooms/public_list.svelte';
import { words } from '../words/catalogue.svelte';
import type { Deed } from './commands';

export type DeedApp = Pick<App, 'people' | 'account'>;

function named(name: string, view: RoomView): MemberView['person'] {
  const found = view.members.find(({ person }) => person.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found.person;
  const [message, hint] = words().deeds.nobody(name);
  throw new ProblemError('nobody', message, hint);
}

/** Somebody who is banned is no member: looked up among the bans. */
async function banned(name: string, room: string, { people }: DeedApp): Promise<string> {
  const { bans } = await people.rooms.sentences(room);
  const found = bans.find(({ person }) => person.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found.person.id;
  const [message, hint] = words().deeds.notBanned(name);
  throw new ProblemError('not_banned', message, hint);
}

/** Into the public room of this name. */
async function joined(name: string, { people }: DeedApp): Promise<string> {
  const list = new PublicList(people.rooms);
  await list.all();
  const found = list.rooms.find((room) => folded(room.name) === folded(name));
  if (found === undefined) {
    const [message, hint] = words().deeds.noRoom(name);
    throw new ProblemError('no_such_room', message, hint);
  }
  if (!found.mine) await people.rooms.join(found.id);
  return found.id;
}

/** Does it, and says in words what was done; rejects with a Problem. */
export async function doDeed(deed: Deed, view: RoomView, app: DeedApp): Promise<string> {
  const { people, account } = app;
  const { rooms } = people;
  const { id, name: roomName } = view.room;
  const said = words().deeds;
  switch (deed.what) {
    case 'topic':
      await rooms.change(id, { topic: deed.text });
      return said.topic;
    case 'rename':
      await rooms.change(id, { name: deed.text });
      return said.renamed(deed.text);
    case 'status':
      await account.changeProfile({ statusText: deed.text });
      return deed.text === '' ? said.noStatus : said.status(deed.text);
    case 'away':
    case 'busy':
    case 'here':
      await account.changeProfile({ presence: deed.what === 'here' ? 'online' : deed.what });
      return said[deed.what];
    case 'notify':
      await rooms.notify(id, deed.notify);
      return said.notify[deed.notify];
    case 'join':
      location.assign(roomAddress(await joined(deed.text, app)));
      return '';
    case 'leave':
      await rooms.leave(id);
      return said.left(roomName);
    case 'msg':
      location.assign(roomAddress(await people.direct(named(deed.name, view).id)));
      return '';
    case 'kick': {
      const person = named(deed.name, view);
      await rooms.remove(id, person.id, deed.reason);
      return said.kicked(person.displayName);
    }
    case 'mute': {
      const { minutes, reason } = deed;
      const person = named(deed.name, view);
      await rooms.mute(id, person.id, { minutes, reason });
      return said.muted(person.displayName);
    }
    case 'ban': {
      const { minutes, reason } = deed;
      const person = named(deed.name, view);
      await rooms.ban(id, person.id, { minutes, reason });
      return said.banned(person.displayName);
    }
    case 'unmute': {
      const person = named(deed.name, view);
      await rooms.lift(id, person.id, 'mutes');
      return said.unmuted(person.displayName);
    }
    case 'unban':
      await rooms.lift(id, await banned(deed.name, id, app), 'bans');
      return said.unbanned(deed.name);
  }
}
