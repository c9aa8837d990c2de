// What a password costs to stretch: Argon2id's parameters in JSON. Bounds are the sealer's.
import * as s from './schema';

export interface Cost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** What new passwords cost: 64 MiB, 3 passes, one lane. */
export const DEFAULT_COST: Cost = { memoryKib: 65_536, passes: 3, lanes: 1 };

const fields = s.object({ memory_kib: s.u32Number, passes: s.u32Number, lanes: s.u32Number });

export const cost: s.Parser<Cost> = (value, path) => {
  const { memory_kib, passes, lanes } = fields(value, path);
  return { memoryKib: memory_kib, passes, lanes };
};

export const costJson = ({ memoryKib, passes, lanes }: Cost): Record<string, number> => ({
  memory_kib: memoryKib,
  passes,
  lanes,
});
