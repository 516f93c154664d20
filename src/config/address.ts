/**
 * What is a possible address and a possible name of a compute node.
 */
import { isIP, isIPv4 } from 'node:net';
import { sameAddress } from '../lib/address.ts';

/** Why no node can have this address, or null. */
export function addressTrouble(text: string): { message: string; hint: string } | null {
  if (isIP(text) === 0) return { message: 'is not an IP address', hint: hintFor(text) };
  if (isIPv4(text)) {
    const first = Number(text.split('.')[0]);
    if (first === 0) return no('is a network address');
    if (first >= 224 && first <= 239) return no('is a multicast address');
    if (first >= 240) return no(text === '255.255.255.255' ? 'is the broadcast address' : 'is in a reserved range');
    return null;
  }
  if (text.includes('%')) return { message: 'has a zone', hint: 'write it without the part after %' };
  const plain = sameAddress(text);
  if (plain === '::') return no('is the unspecified address');
  if (/^ff[0-9a-f]{2}:/.test(plain)) return no('is a multicast address');
  if (plain.startsWith('::ffff:')) return { message: 'is an IPv4 address in IPv6 dress', hint: 'write it as IPv4' };
  return null;
}

export function isLoopback(text: string): boolean {
  return isIPv4(text) ? text.startsWith('127.') : sameAddress(text) === '::1';
}

/** RFC 1123: labels of letters, digits and inner dashes, up to 63 each, 253 in all. */
export function isHostName(text: string): boolean {
  if (text.length > 253 || isIP(text) !== 0) return false;
  return text.split('.').every((label) => /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label));
}

function no(message: string): { message: string; hint: string } {
  return { message, hint: 'no node can have it' };
}

function hintFor(text: string): string {
  if (text.trim() !== text && isIP(text.trim()) !== 0) return 'remove the blanks inside the quotes';
  if (/^[\d.]+\/\d+$/.test(text) || /[[\]-]/.test(text)) return 'one entry for each host, no ranges';
  if (text.split('.').some((part) => /^0\d+$/.test(part))) return 'write the numbers without leading zeros';
  return 'four numbers from 0 to 255, or IPv6';
}
