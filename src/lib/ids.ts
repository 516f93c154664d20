/** Random identifiers. */
import { randomBytes } from 'node:crypto';

/** 12 hexadecimal characters after a prefix: enough for leases, short enough for a tag or a unit name. */
export function randomId(prefix: string): string {
  return `${prefix}${randomBytes(6).toString('hex')}`;
}
