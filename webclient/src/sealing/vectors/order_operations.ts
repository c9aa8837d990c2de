// The operations of the vector files chain and order.
import { hex } from '../../protocol/bytes';
import * as s from '../../protocol/schema';
import { parseBundle } from '../bundle';
import { stepBack } from '../chain';
import { epochKeys } from '../epoch';
import { Order } from '../order';
import { bytes, op, type Operation, type Out } from './operation';

const numbered = s.object({ id: s.id, sender: s.id, writer: s.u32Number, seq: s.count });

/** What a reader of these runs tells of each event. */
function told(
  begins: boolean,
  runs: readonly (readonly s.Parsed<typeof numbered>[])[],
): readonly (readonly Out[])[] {
  const order = new Order(begins);
  return runs.map((run, n) => {
    if (n > 0) order.skip();
    return run.map(({ id, sender, writer, seq }): Out => {
      if (!order.isNew(id)) return { known: true, missing: 0, strange: null };
      return { known: false, ...order.take(sender, { writer, seq }, id) };
    });
  });
}

export const orderOperations: Readonly<Record<string, Operation>> = {
  back_step: op({ bundles: s.list(bytes), secret: bytes }, ({ bundles, secret }) => {
    const headers = bundles.map((one) => parseBundle(one).header);
    const head = headers.at(-1);
    if (head === undefined) throw new Error('no epoch');
    const keys = epochKeys(head.room, secret);
    const step = stepBack(head, keys, (epoch) => headers[epoch - 1]);
    if (step === null) throw new Error('the way back leads nowhere');
    return { epoch: step.epoch, secret: hex(step.keys.secret) };
  }),
  event_order: op({ begins: s.flag, runs: s.list(s.list(numbered)) }, ({ begins, runs }) => ({
    runs: told(begins, runs),
  })),
};
