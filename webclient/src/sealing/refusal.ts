// What reading something from elsewhere may end with: it is not what it should be.
import { BytesError } from '../protocol/bytes';
import { SchemaError } from '../protocol/schema';
import { SealingError } from './kdf';

/** Whether an error tells of what was read, and not of this program. */
export const isRefusal = (error: unknown): error is Error =>
  error instanceof SealingError || error instanceof BytesError || error instanceof SchemaError;
