/**
 * What has to be known of the cell to understand a request: parallel environments, resources, the queue. It changes when
 * an administrator changes it, so it is asked for once and then every ten minutes, not in every cycle.
 */
import { BatchError } from '../../domain/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Ask } from '../command.ts';
import { failureOf } from './command.ts';

/**
 * How a parallel environment deals out slots (`allocation_rule`): all on one host, so many on each, or as they come
 * (`$fill_up` and `$round_robin`: any hosts that have enough slots together).
 */
export type Rule = 'one-host' | 'any' | number;

export interface Resource {
  readonly type: string;
  /** `EXCL`: who asks for it shares the host with nobody. */
  readonly relation: string;
  /** Handed out per slot, once per job (on its first host), or not counted. */
  readonly counted: 'slot' | 'job' | 'no';
  /** What a job that does not ask for it takes. */
  readonly fallback: string;
}

export interface Cell {
  readonly resources: ReadonlyMap<string, Resource>;
  /** Parallel environments of the queue. */
  readonly environments: ReadonlyMap<string, Rule>;
  readonly hostList: readonly string[];
}

export type AskCell = (queue: string, signal?: AbortSignal) => Promise<Cell>;

const KEPT = 600_000;

/**
 * @returns asks at most every ten minutes for each queue. `forget` makes the next one ask again.
 */
export function makeCell(ask: Ask, clock: Clock): { cell: AskCell; forget(): void } {
  const known = new Map<string, { at: number; cell: Cell }>();
  return {
    async cell(queue, signal) {
      const last = known.get(queue);
      if (last && clock.monotonic() - last.at < KEPT) return last.cell;
      const cell = await askCell(ask, queue, signal);
      known.set(queue, { at: clock.monotonic(), cell });
      return cell;
    },
    forget: () => known.clear(),
  };
}

/** @throws BatchError `no-queue`, `silent`... */
async function askCell(ask: Ask, queue: string, signal?: AbortSignal): Promise<Cell> {
  const config = parseConfig(await say(ask, ['qconf', '-sq', queue], signal));
  const words = (key: string): string[] => (config.get(key) ?? '').split(/[\s,=[\]]+/).filter((word) => word !== '');
  if (config.get('qname') !== queue) {
    throw new BatchError('garbled', `qconf -sq ${queue} does not answer with that queue`);
  }
  const resources = await askResources(ask, signal);
  const environments = new Map<string, Rule>();
  const names = new Set(words('pe_list').filter((word) => word !== 'NONE' && !word.startsWith('@')));
  for (const name of names) {
    const result = await ask(['qconf', '-sp', name], signal);
    const failure = failureOf(result);
    // a word of the list may be a host, and an environment may have been deleted meanwhile
    if (failure && failure.kind !== 'refused') throw failure;
    const rule = failure ? null : parseRule(parseConfig(result.stdout).get('allocation_rule') ?? '');
    if (rule !== null) environments.set(name, rule);
  }
  return { resources, environments, hostList: words('hostlist') };
}

/** @throws BatchError */
export async function askResources(ask: Ask, signal?: AbortSignal): Promise<ReadonlyMap<string, Resource>> {
  return parseResources(await say(ask, ['qconf', '-sc'], signal));
}

async function say(ask: Ask, command: readonly string[], signal?: AbortSignal): Promise<string> {
  const result = await ask(command, signal);
  const failure = failureOf(result);
  if (failure) throw failure;
  return result.stdout;
}

/** `key   value` in each line; a backslash at the end goes on in the next. */
export function parseConfig(text: string): ReadonlyMap<string, string> {
  const lines = text.replaceAll(/\\\n\s*/g, ' ').split('\n');
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const match = /^(\S+)\s+(.*)$/.exec(line);
      return match ? [[match[1] ?? '', (match[2] ?? '').trim()]] : [];
    }),
  );
}

/** `$pe_slots`, `$fill_up`, `$round_robin`, or a number. Null for what is none. */
export function parseRule(text: string): Rule | null {
  if (text === '$pe_slots') return 'one-host';
  if (text === '$fill_up' || text === '$round_robin') return 'any';
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : null;
}

/** `qconf -sc`: name, shortcut, type, relop, requestable, consumable, default, urgency. */
export function parseResources(text: string): ReadonlyMap<string, Resource> {
  const found = new Map<string, Resource>();
  for (const line of text.split('\n')) {
    const [name, , type, relation, , consumable, fallback] = line.trim().split(/\s+/);
    if (line.startsWith('#') || !name || !type || !relation || !consumable || fallback === undefined) continue;
    const counted = consumable === 'YES' ? 'slot' : consumable === 'NO' ? 'no' : 'job';
    found.set(name, { type, relation, counted, fallback });
  }
  return found;
}
