/** `cleanup`: the one command that takes everything away, so it says what that is and asks. */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import type { StatusView } from '../../controller/view.ts';
import { WITH_MACHINE } from '../../domain/lifecycle.ts';
import { count, list } from '../../domain/words.ts';
import type { OfPools } from '../../service/pools.ts';
import { asker, type Call, ofPool } from '../parts.ts';
import { wrap } from '../render/text.ts';
import { order } from './orders.ts';

export async function cleanup(call: Call): Promise<number> {
  if (call.options.yes !== true) {
    if (!call.parts.isTerminal) {
      await call.complain('cleanup takes all nodes away, and here nobody can be asked: say --yes');
      return 2;
    }
    if (!(await agreed(call))) {
      await call.complain('Nothing was changed.');
      return 1;
    }
  }
  return order(call, '/cleanup', asker(call.parts));
}

async function agreed(call: Call): Promise<boolean> {
  const given = await call.client.get<StatusView | OfPools<StatusView>>(ofPool(call, '/status'));
  const all = 'pools' in given ? given.pools.flatMap(({ view }) => view ?? []) : [given];
  const sum = (of: (status: StatusView) => number) => all.reduce((total, status) => total + of(status), 0);
  const machines = sum(({ hosts }) => [...WITH_MACHINE].reduce((total, state) => total + (hosts[state] ?? 0), 0));
  const names = all.map((status) => status.pool);
  const text =
    `${count(machines, 'node', 'nodes')} of ${names.length === 1 ? 'pool' : 'pools'} ${list(names)} will get no new jobs and be deleted when the last job ` +
    `on each has ended; held nodes stay. Now: ${count(
      sum((status) => status.running),
      'job runs',
      'jobs run',
    )}, ` +
    `${count(
      sum((status) => status.waiting),
      'job waits',
      'jobs wait',
    )}.`;
  await call.print(wrap(text, call.screen().columns));
  const answer = await question(call, 'Take all nodes away? [y/N] ');
  return /^(y|yes)$/i.test(answer.trim());
}

/** The end of the input (Ctrl-D) counts as no. */
async function question(call: Call, text: string): Promise<string> {
  const reader = createInterface({ input: call.parts.in, output: call.parts.out });
  try {
    return await Promise.race([reader.question(text), once(reader, 'close').then(() => '')]);
  } finally {
    reader.close();
  }
}
