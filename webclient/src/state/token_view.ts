// App tokens, as screens see them and as the box takes them.
import type { MadeToken, OwnToken } from '../api/account';
import { parseId } from '../protocol/ids';
import type { NewToken, TokenView } from './account_model';

/** A token without its text. */
export const tokenOf = ({ id, label, scope, ...at }: OwnToken | MadeToken): TokenView => ({
  id,
  label,
  createdAt: at.created_at,
  lastUsedAt: at.last_used_at,
  access: scope?.access ?? null,
  rooms: scope?.rooms ?? null,
});

/** What a new token may do. */
export const scopeOf = ({ access, rooms }: NewToken): OwnToken['scope'] => ({
  access,
  rooms: rooms === null ? null : rooms.map(parseId),
});
