/** `./hybrid-cloud test --races N`: the long form of the races, until N have met a drain, with more hosts and with daemons that stay dead. */
import type { TestParts } from '../run-all.ts';
import { labSkip } from '../support/lab.ts';
import { races } from './races.ts';

/** No more than so many times the races wanted are begun; the others meet no drain. */
const MOST = 6;

/** @returns the exit code */
export async function longRaces(count: number, seed: number, parts: TestParts): Promise<number> {
  const skip = labSkip();
  if (skip !== false) {
    parts.write(`no race was run: ${skip}\n`);
    return 1;
  }
  await using stack = new AsyncDisposableStack();
  const closing = { after: (close: () => Promise<void>) => void stack.defer(close) };
  const began = parts.clock.monotonic();
  const { RACES_SECONDS: seconds, RACES_HOSTS: hosts = '20' } = parts.env;
  const result = await races(closing, {
    ...{
      meetings: count,
      most: MOST * count,
      seed,
      name: 'races',
      net: '10.82.40',
      portBase: 22400,
      hosts: Number(hosts),
    },
    ...{ trouble: 0.12, forGood: 0.1, patience: 180, signal: parts.signal },
    ...(seconds === undefined ? {} : { seconds: Number(seconds) }),
    onProgress: (text) => parts.write(`${text}, ${((parts.clock.monotonic() - began) / 1000).toFixed(0)} s\n`),
  });
  const kills = Object.entries(result.kills).map(([what, n]) => `${what} ${n} times`);
  parts.write(
    `\n${result.met} of ${count} races on real Slurm have met a drain (seed ${seed}), of ${result.races} jobs submitted in ` +
      `${result.took.toFixed(0)} s: ${result.lost.length} jobs lost, ${result.leasesTwice} leases with two machines. ` +
      `${result.drains} drains, ${result.undrains} called off; ${result.machines} machines made; ` +
      `${result.putBack} runs put back by Slurm; ${kills.join(', ')}\n`,
  );
  const bad = [...result.lost, ...result.wrong];
  // Who sets a time, or ends it, has asked for what can be had in it.
  const cut = seconds !== undefined || parts.signal?.aborted === true;
  if (result.met < count && !cut) bad.push(`too few met a drain: ${MOST} times as many were submitted`);
  for (const one of bad) parts.write(`  ${one}\n`);
  return bad.length > 0 || result.leasesTwice > 0 ? 1 : 0;
}
