/**
 * Which queue a job asks for, in the words of `qsub -q` (`man 1 sge_types`: wc_queue, wc_host): `cloud`, `clo*`,
 * `cloud@c1`, `*@@cloud`, lists of them.
 */

/** What a job said about where it may run. */
export interface Wish {
  /** Of -q, and of -masterq when there is no -q; one entry per name. */
  readonly queues: readonly string[];
  /** Of -l hostname, or ''. */
  readonly host: string;
}

/** The queue we watch. */
export interface Watched {
  readonly queue: string;
  /** Its host list as configured: host groups begin with `@`. */
  readonly hostList: readonly string[];
  /** Ours. */
  readonly hosts: readonly string[];
  /** The cell has no other queue. */
  readonly only: boolean;
}

/**
 * Does the job ask for this queue? A job that names none may run in any: it is ours only where there is no other queue,
 * since nobody wants to pay for a job that the machines at home will take.
 */
export function asksFor(wish: Wish, watched: Watched): boolean {
  const named = wish.queues.filter((one) => one !== '' && one !== '*');
  if (named.length > 0) return named.some((one) => namesUs(one, watched));
  return watched.only || (wish.host !== '' && watched.hosts.some((host) => sameHost(wish.host, host)));
}

function namesUs(one: string, { queue, hostList, hosts }: Watched): boolean {
  const host = hostPart(one);
  if (queuePart(one) !== '*') return matches(queuePart(one), queue);
  return host.startsWith('@') ? hostList.includes(host) : hosts.some((ours) => sameHost(host, ours));
}

/** Those of our hosts that the job can run on, as far as it names hosts; a host group counts as all of them. */
export function hostsFor(wish: Wish, { queue, hosts }: Watched): readonly string[] {
  const parts = wish.queues.filter((one) => matches(queuePart(one), queue)).map(hostPart);
  const anywhere = parts.length === 0 || parts.some((part) => part === '' || part.startsWith('@'));
  if (anywhere && wish.host === '') return hosts;
  return hosts.filter(
    (host) =>
      (anywhere || parts.some((part) => sameHost(part, host))) && (wish.host === '' || sameHost(wish.host, host)),
  );
}

function queuePart(request: string): string {
  const at = request.indexOf('@');
  return at < 0 ? request : request.slice(0, at) || '*';
}

function hostPart(request: string): string {
  const at = request.indexOf('@');
  return at < 0 ? '' : request.slice(at + 1);
}

function sameHost(pattern: string, host: string): boolean {
  return matches(pattern.toLowerCase(), host.toLowerCase()) || shortName(pattern) === shortName(host);
}

/** `c1` of `c1.example.org`, in small letters. */
export function shortName(host: string): string {
  return host.toLowerCase().split('.')[0] ?? '';
}

/** `*`, `?`, `[...]`, and `|` between alternatives; an expression with `!`, `&` or brackets may be anything. */
export function matches(pattern: string, text: string): boolean {
  if (!/[*?[\]|!&()]/.test(pattern)) return pattern === text;
  if (/[!&()]/.test(pattern)) return true;
  return pattern.split('|').some((one) => toRegExp(one).test(text));
}

function toRegExp(pattern: string): RegExp {
  const body = pattern.replace(/\[[^\]]*\]|[\s\S]/g, (piece) => {
    if (piece === '*') return '[\\s\\S]*';
    if (piece === '?') return '[\\s\\S]';
    if (piece.length > 2) return `[${piece.slice(1, -1).replace(/[\\\]]/g, '\\$&')}]`;
    return piece.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  });
  try {
    return new RegExp(`^${body}$`);
  } catch {
    return /^[^\s\S]/;
  }
}
