/**
 * Addresses as text.
 */
import { isIPv6 } from 'node:net';

/** One spelling for every spelling of an address, to find the same one written in two ways. */
export function sameAddress(text: string): string {
  if (!isIPv6(text) || text.includes('%')) return text;
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}
