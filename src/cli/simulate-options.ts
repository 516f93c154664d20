/**
 * The options of `simulate`, as they are typed: seconds, hosts, money.
 */
import { InvalidArgumentError, Option } from 'commander';

export interface SimulateFlags {
  readonly hosts?: number;
  readonly cpusPerHost?: number;
  readonly memoryPerHost?: number;
  readonly policy: readonly ('demand' | 'classic')[];
  readonly boot: readonly number[];
  readonly idle: readonly number[];
  readonly poll: number;
  readonly hook?: boolean;
  readonly stop: number;
  readonly bootSpread: number;
  readonly cloudLimit?: { readonly burst: number; readonly perSecond: number };
  readonly price?: number;
  readonly billing: number;
  /** Epoch ms of a date, or days after the first job. */
  readonly from?: { readonly at: number } | { readonly days: number };
  readonly days?: number;
  readonly queue?: string;
  readonly seed: number;
  readonly threads?: number;
  readonly html?: string;
  readonly json?: boolean;
}

export function simulateOptions(): readonly Option[] {
  return [
    new Option('--hosts <n>', 'hosts of the pool (default: as the header of the log says)').argParser(from(1)),
    new Option('--cpus-per-host <n>', 'CPUs of each host (default: by the header of the log, or 1)').argParser(from(1)),
    new Option('--memory-per-host <MiB>', 'memory of each host (default: memory is not looked at)').argParser(from(1)),
    new Option('--policy <names>', 'policies to compare')
      .default(['demand', 'classic'], 'demand,classic')
      .argParser(policies),
    new Option('--boot <seconds>', 'boot times, from the call to a node that answers')
      .default([120], '120')
      .argParser(seconds),
    new Option('--idle <seconds>', 'IDLE_NODE_WAIT_TIME and CLEANUP_NODE_WAIT_TIME')
      .default([600], '600')
      .argParser(seconds),
    new Option('--poll <seconds>', 'POLL_INTERVAL').default(5).argParser(from(1, 3600)),
    new Option('--hook', 'a submit hook makes the service look at once when a job comes'),
    new Option('--stop <seconds>', 'from the delete call until the machine is gone and costs nothing')
      .default(0)
      .argParser(from(0)),
    new Option('--boot-spread <percent>', 'single boots take up to so much more or less, by the seed')
      .default(0)
      .argParser(from(0, 100)),
    new Option('--cloud-limit <burst,rate>', 'machines the cloud lets us ask for at once, and per second').argParser(
      limit,
    ),
    new Option('--price <money>', 'of one hour of one machine').argParser(money),
    new Option('--billing <seconds>', 'every life of a machine is paid in whole units of this')
      .default(1)
      .argParser(from(1)),
    new Option(
      '--from <date or days>',
      'leave out what was submitted before (2026-01-31, or days after the first job)',
    ).argParser(begin),
    new Option('--days <n>', 'only so many days').argParser(from(1)),
    new Option('--queue <name>', 'only jobs of this partition or queue').argParser((text: string) => text),
    new Option('--seed <n>', 'same seed, same result').default(1).argParser(from(0, 4_294_967_295)),
    new Option('--threads <n>', 'processor cores to use (default: all, at most 4)').argParser(from(1, 64)),
    new Option('--html <file>', 'write a report with charts'),
    new Option('--json', 'print JSON'),
  ];
}

function from(least: number, most = 1_000_000_000): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`A whole number from ${least} to ${most} is expected.`);
    return value;
  };
}

function seconds(text: string): readonly number[] {
  return [...new Set(text.split(',').map(from(1, 86_400 * 7)))];
}

function policies(text: string): readonly ('demand' | 'classic')[] {
  const names = [...new Set(text.split(','))];
  const known = names.filter((name) => name === 'demand' || name === 'classic');
  if (known.length !== names.length) throw new InvalidArgumentError('demand, classic or both are expected.');
  return known;
}

function limit(text: string): { burst: number; perSecond: number } {
  const [, burst, rate] = /^(\d+),(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (burst === undefined || Number(burst) < 1 || Number(rate) <= 0)
    throw new InvalidArgumentError('Two numbers above 0 are expected, as in 1000,2.');
  return { burst: Number(burst), perSecond: Number(rate) };
}

function money(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('An amount is expected, as in 0.34.');
  return Number(text);
}

function begin(text: string): { at: number } | { days: number } {
  if (/^\d+$/.test(text)) return { days: Number(text) };
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(at)) throw new InvalidArgumentError('A date (2026-01-31) or a number of days is expected.');
  return { at };
}
