/**
 * Unit names of spec mode. Host and lease are in the name, so that a node is found again by its name after an answer
 * was lost, and one lease never makes two Units. Letters, digits and `-`, at most 64, as VCP's own templates allow.
 */
import { createHash } from 'node:crypto';

const LONGEST = 64;
const OUR_LEASE = /^hc-([0-9a-f]{12})$/;
/** `-` and 12 digits of the lease, or `-x` and 12 digits of its hash where the lease is not of our own making. */
const TAIL = '-x?[0-9a-f]{12}';
const LONGEST_STEM = LONGEST - TAIL.length;

/** The Unit of this life of the host: `hc-c1-0123456789ab`. */
export function unitName(host: string, lease: string): string {
  const own = OUR_LEASE.exec(lease)?.[1];
  return `${stem(host)}-${own ?? `x${hash(lease)}`}`;
}

/** What names every Unit that stands for this host has, as a pattern that Python understands too. */
export function siblingPattern(host: string): string {
  return `^${stem(host)}${TAIL}$`;
}

/**
 * Whose Unit is this? Null: not ours.
 * @param hosts the hosts there are; a host that is no longer registered is still told by its name
 */
export function readUnitName(
  name: string,
  hosts: readonly string[],
): { readonly host: string; readonly lease: string | null } | null {
  const parts = /^(hc[xh]?-.+)-(x?)([0-9a-f]{12})$/.exec(name);
  if (parts === null) return null;
  const [, front = '', hashed, digits] = parts;
  const host = hosts.find((one) => stem(one) === front) ?? unstem(front);
  return host === null ? null : { host, lease: hashed === '' ? `hc-${digits}` : null };
}

/** `hc-c1`; `hcx-` and hexadecimal for a name with other characters; `hch-` and a hash for one that is too long. */
function stem(host: string): string {
  if (/^[a-z0-9-]+$/.test(host) && host.length + 3 <= LONGEST_STEM) return `hc-${host}`;
  const hex = Buffer.from(host).toString('hex');
  return hex.length + 4 <= LONGEST_STEM ? `hcx-${hex}` : `hch-${hash(host)}`;
}

function unstem(front: string): string | null {
  if (front.startsWith('hc-')) return front.slice(3);
  if (front.startsWith('hcx-') && /^([0-9a-f]{2})+$/.test(front.slice(4))) {
    return Buffer.from(front.slice(4), 'hex').toString();
  }
  return null;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
