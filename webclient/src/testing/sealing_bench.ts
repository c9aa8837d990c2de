// What sealing costs: run in a browser by scripts/sealing_bench.mjs, which prints the figures.
import { fromB64u, utf8 } from '../protocol/bytes';
import { DEFAULT_COST } from '../protocol/cost';
import { memorySafe } from '../local/safe';
import { indexedShelf } from '../local/shelf';
import { Keyring } from '../sealing/keyring';
import { paddedLength } from '../sealing/padding';
import { Circle, fresh, NOW, person, random, SALT, type Someone } from './circle';

const EVENTS = 1_000;
const EPOCHS = 100;
const TIMES = 9;

/** The shortest of some runs in ms, after one that does not count: other programs only delay. */
async function timed(run: () => Promise<unknown>): Promise<number> {
  await run();
  const times: number[] = [];
  for (let n = 0; n < TIMES; n++) {
    const began = performance.now();
    await run();
    times.push(performance.now() - began);
  }
  return Math.min(...times);
}

export interface Figures {
  /** ms for 1,000 events opened and verified. */
  readonly open: number;
  /** ms for the same events once they were opened and kept in IndexedDB. */
  readonly kept: number;
  /** ms for one message sealed. */
  readonly seal: number;
  /** ms for a newcomer to take and open a room of 100 epochs. */
  readonly join: number;
  /** ms for the password at login. */
  readonly login: number;
  /** Bytes of a wire beyond its padded body. */
  readonly overhead: number;
}

async function room(): Promise<{ ada: Someone; ben: Someone; circle: Circle }> {
  const [ada, ben] = [await person(), await person(fresh(), indexedShelf('sealing-bench'))];
  const circle = await Circle.found(ada);
  await circle.admit(ben, [ada]);
  return { ada, ben, circle };
}

/** Newcomers by one link, each with a browser to which nothing of the room is known. */
async function joining(ada: Someone, ben: Someone, circle: Circle): Promise<number> {
  const members = [ada.user, ben.user];
  while (circle.served.length < EPOCHS - 1) await circle.rotate(ada, members);
  const rooms = [circle.next(members, { reason: 'invite' })];
  const request = { rooms, by: ada.user, expires: NOW + 1_000, uses: TIMES + 1 };
  const invite = await ada.keys.makeInvite(request);
  circle.served.push(...invite.bundles.map(({ bundle }) => bundle));
  const times: number[] = [];
  for (let n = 0; n <= TIMES; n++) {
    const cleo = await person();
    await cleo.keys.takeInvite(invite.code, fromB64u(invite.fragment));
    await cleo.keys.readInvite(invite.code, invite.blob);
    for (const { user, card } of [ada, ben]) await cleo.keys.addCards(user, [card]);
    const began = performance.now();
    const view = await circle.show(cleo);
    times.push(performance.now() - began);
    if (!view.open || view.epoch !== EPOCHS) throw new Error('the newcomer reads nothing');
  }
  return Math.min(...times.slice(1));
}

export async function figures(): Promise<Figures> {
  const { ada, ben, circle } = await room();
  const body = utf8(JSON.stringify({ type: 'message', content: 'x'.repeat(200), id: fresh() }));
  let seq = 0;
  const wires: Uint8Array[] = [];
  while (wires.length < EVENTS) wires.push(await circle.seal(ada, ++seq, { body }));
  const open = await timed(() => ben.keys.open(circle.room, wires));
  const positions = wires.map((_, n) => n + 1);
  const kept = await timed(() => ben.keys.open(circle.room, wires, positions));
  const sealing = await timed(async () => {
    for (let n = 0; n < 100; n++) await circle.seal(ada, ++seq, { body });
  });
  const overhead = (wires[0]?.length ?? 0) - paddedLength(body.length);
  const password = new Keyring(memorySafe(), random);
  const login = await timed(() => password.stretch('correct horse', SALT, DEFAULT_COST));
  const join = await joining(ada, ben, circle);
  return { open, kept, seal: sealing / 100, join, login, overhead };
}
