/**
 * The script that runs on the node, and what its answer means.
 */
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import type { PrepareErrorKind } from '../domain/errors.ts';
import type { Host } from '../domain/host.ts';
import { shellQuote } from '../lib/quote.ts';
import type { SshAnswer } from '../lib/ssh.ts';
import { watcherValues } from './dead-man.ts';

export interface Mount {
  /** `server:/directory`, or what the type wants. */
  readonly source: string;
  /** Full path without a slash at the end. */
  readonly dir: string;
  /** As `mount -t` takes it, or `bind`. */
  readonly type: string;
  /** As `mount -o` takes them; empty for none. */
  readonly options: string;
}

/** So often the script tries to mount, with 1, 2, 4... s between: an NFS server may be busy when many nodes come at once. */
const MOUNT_TRIES = 5;

const SCRIPT = readFileSync(new URL('./prepare.sh', import.meta.url), 'utf8');

/**
 * `prepare.sh` with its values in front, each quoted.
 * @param deadMan DEAD_MAN_TIME, ms, or null for no dead-man switch
 * @param mark begins every line of the script's answer; new for each host, so that no banner can look like one
 */
export function makeScript(
  mark: string,
  host: Host,
  mount: Mount,
  tries = MOUNT_TRIES,
  deadMan: number | null = null,
): string {
  const values = {
    hc_mark: mark,
    hc_name: host.name,
    hc_ip: canonical(host.ip),
    hc_source: mount.source,
    hc_dir: mount.dir,
    hc_type: mount.type,
    hc_options: mount.options,
    hc_tries: String(tries),
    ...watcherValues(host, deadMan),
  };
  const head = Object.entries(values).map(([name, value]) => `${name}=${shellQuote(value)}\n`);
  return head.join('') + SCRIPT;
}

/** What a login means. A fault that `mayHeal` can be a machine that is still booting. */
export type Outcome =
  | { readonly kind: 'done'; readonly text: string }
  | { readonly kind: 'wait'; readonly text: string }
  | { readonly kind: PrepareErrorKind; readonly text: string; readonly mayHeal: boolean };

function wait(text: string): Outcome {
  return { kind: 'wait', text };
}

/** Reads what came back from a login: done, wait and try again, or a fault. */
export function judge(answer: SshAnswer, mark: string): Outcome {
  const lines = marked(answer.result.stdout, mark);
  const last = lines.at(-1);
  if (last?.word === 'OK') return { kind: 'done', text: last.text };
  if (last?.word === 'FAIL') {
    const [kind, ...text] = last.text.split(' ');
    if (kind === 'identity') return { kind: 'identity', text: text.join(' '), mayHeal: true };
    if (kind === 'command') return { kind: 'command', text: text.join(' '), mayHeal: false };
    return { kind: 'mount', text: text.join(' '), mayHeal: false };
  }
  // Lost or stopped while it was trying to mount: that is the trouble to tell.
  if (last?.word === 'TRY' && answer.kind !== 'ran') return wait(last.text);
  switch (answer.kind) {
    case 'ran':
      return { kind: 'command', text: `the login runs no script: ${sayLast(answer)}`, mayHeal: true };
    case 'refused':
      return { kind: 'refused', text: `sshd refuses our key: ${answer.text}`, mayHeal: true };
    case 'other-key':
      return { kind: 'identity', text: answer.text, mayHeal: false };
    case 'broken':
      return { kind: 'command', text: answer.text, mayHeal: false };
    case 'stopped':
      return wait('');
    case 'unreachable':
      return wait(`ssh gets no connection: ${answer.text}`);
  }
}

/** The script's own lines among everything that login files and banners print. */
function marked(output: string, mark: string): { word: string; text: string }[] {
  return output.split('\n').flatMap((line) => {
    if (!line.startsWith(`${mark} `)) return [];
    const [, word = '', ...text] = line.split(' ');
    return [{ word, text: text.join(' ') }];
  });
}

function sayLast({ result }: SshAnswer): string {
  const lines = `${result.stdout}\n${result.stderr}`.split('\n').filter((line) => line.trim() !== '');
  return (lines.at(-1) ?? `it ended with ${result.code}`).trim().slice(0, 300);
}

/** An IPv6 address as the kernel writes it. */
function canonical(ip: string): string {
  return isIPv6(ip) ? new URL(`http://[${ip}]`).hostname.slice(1, -1) : ip;
}
