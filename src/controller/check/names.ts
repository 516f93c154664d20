/**
 * Names: are the registered hosts found under their names, and the names under their addresses, on the machine where the
 * batch system's commands run? /etc/hosts is looked at for lines that say something else; the rest is asked as the batch
 * system asks it, with `getent`. A name server that does not answer is told and holds nothing up.
 */
import type { Host } from '../../domain/host.ts';
import { list, span } from '../../domain/words.ts';
import { sameAddress } from '../../lib/address.ts';
import type { Run } from '../../lib/run.ts';
import { type Ask, type CheckLine, note, ok, wrong } from './ask.ts';
import { type Misplaced, misplaced } from './hosts-file.ts';

export interface NameTools {
  readonly run: Run;
  /** BATCH_RUN_PREFIX: the head node's names count, not ours. */
  readonly prefix: readonly string[];
}

/** ms for one question: a resolver that gets no answer asks for far longer. */
const LIMIT = 4000;
const AT_ONCE = 8;
/** Unanswered questions after which no further ones are asked: ten times the same silence says nothing new. */
const SILENT = 4;
const RENDER = 'hybrid-cloud render hosts prints the lines for /etc/hosts';
/** These call their nodes by name alone. */
const BY_NAME: ReadonlySet<string> = new Set(['torque', 'pbs', 'gridengine']);

/** Addresses of a name, or names of an address; null: nobody answered. */
type Found = ReadonlySet<string> | null;

/** @param family the batch system */
export async function checkNames(
  hosts: readonly Host[],
  family: string,
  tools: NameTools,
  ask: Ask,
): Promise<CheckLine[]> {
  // sudo changes who asks, not where, and may be allowed for the batch system's commands only.
  const prefix = tools.prefix.some((word) => /(^|\/)sudo$/.test(word)) && !tools.prefix.some(isSsh) ? [] : tools.prefix;
  const answer = await ask('names', (signal) => look(hosts, { ...tools, prefix }, signal));
  if ('line' in answer) return [{ ...answer.line, ok: 'note', hint: RENDER }];
  const { value } = answer;
  if (value === null) {
    const there = prefix.length === 0 ? 'on this machine' : `through ${prefix.join(' ')}`;
    return [note('names', `could not be looked up: getent does not run ${there}`, '')];
  }
  return say(hosts, family, value);
}

interface Look {
  readonly file: readonly Misplaced[];
  readonly forward: ReadonlyMap<string, Found>;
  readonly reverse: ReadonlyMap<string, Found>;
}

/** Null: there is no way to ask. */
async function look(hosts: readonly Host[], { run, prefix }: NameTools, signal: AbortSignal): Promise<Look | null> {
  const file = await run([...prefix, 'cat', '/etc/hosts'], { timeout: LIMIT, signal });
  let silent = 0;
  let possible = true;

  async function getent(...words: string[]): Promise<Found> {
    if (silent >= SILENT || !possible) return null;
    const result = await run([...prefix, 'getent', ...words], { timeout: LIMIT, signal });
    if (result.timedOut) silent += 1;
    // 2: not found. Anything else is getent itself, or the way to it.
    else if (result.code !== 0 && result.code !== 2) possible = false;
    if (result.timedOut || !possible) return null;
    const rows = result.stdout.split('\n').map((row) => row.trim().split(/\s+/));
    const found = words[0] === 'hosts' ? rows.flatMap(([, ...names]) => names) : rows.map(([ip = '']) => ip);
    return new Set(found.filter((word) => word !== '').map((word) => sameAddress(word.toLowerCase())));
  }

  const forward = new Map<string, Found>();
  const reverse = new Map<string, Found>();
  const waiting = hosts.values();
  const worker = async () => {
    for (const { name, ip } of waiting) {
      forward.set(name, await getent('ahosts', name));
      reverse.set(name, await getent('hosts', ip));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (!possible) return null;
  return { file: file.code === 0 ? misplaced(file.stdout, hosts) : [], forward, reverse };
}

function say(hosts: readonly Host[], family: string, { file, forward, reverse }: Look): CheckLine[] {
  const lines = file.map(({ host, at, ip }) => {
    const right = hosts.find(({ name }) => name === host)?.ip;
    return wrong('names', `/etc/hosts:${at} gives ${host} the address ${ip}; hosts.json says ${right}`, RENDER);
  });
  const told = new Set(file.map(({ host }) => host));
  const unknown: string[] = [];
  const silent: string[] = [];
  const nameless: string[] = [];
  for (const { name, ip } of hosts) {
    const [found = null, names = null] = [forward.get(name), reverse.get(name)];
    if (found === null || names === null) silent.push(name);
    if (found?.size === 0) unknown.push(name);
    else if (found !== null && !found.has(sameAddress(ip)) && !told.has(name)) {
      const text = `${name} is looked up as ${list([...found])} instead of ${ip}`;
      lines.push(wrong('names', text, `mend it where the name comes from; ${RENDER}`));
    }
    if (names === null || found === null || found.size === 0) continue;
    if (names.size === 0) nameless.push(ip);
    else if (![...names].some((one) => isName(one, name))) {
      lines.push(note('names', `${ip} is looked up as ${list([...names])} instead of ${name}`, RENDER));
    }
  }
  if (unknown.length > 0) {
    const text = `${list(unknown)}: no address is found under ${unknown.length === 1 ? 'this name' : 'these names'}`;
    if (BY_NAME.has(family)) lines.push(wrong('names', text, RENDER));
    else
      lines.push(note('names', text, `${RENDER}${family === 'slurm' ? '; Slurm can do without, with NodeAddr=' : ''}`));
  }
  if (nameless.length > 0) lines.push(note('names', `${list(nameless)}: no name is found for the address`, RENDER));
  if (silent.length > 0) {
    const text = `${list(silent)}: the name server gave no answer within ${span(LIMIT)}`;
    lines.push(note('names', text, `names in /etc/hosts need no name server: ${RENDER}`));
  }
  if (lines.length > 0) return lines;
  return [ok('names', 'all hosts are found by name and by address, as in hosts.json')];
}

function isSsh(word: string): boolean {
  return /(^|\/)ssh$/.test(word);
}

/** `c1`, or `c1.site.example` for a host that is registered as `c1`. */
function isName(found: string, name: string): boolean {
  const plain = name.toLowerCase();
  return found === plain || found.startsWith(`${plain}.`) || plain.startsWith(`${found}.`);
}
