/** `cleanup`: the one command that takes everything away, so it says what that is and asks. */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import type { StatusView } from '../../controller/view.ts';
import { WITH_MACHINE } from '../../domain/lifecycle.ts';
import { count } from '../../domain/words.ts';
import { asker, type Call } from '../parts.ts';
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
  const status = await call.client.get<StatusView>('/status');
  const machines = [...WITH_MACHINE].reduce((sum, state) => sum + (status.hosts[state] ?? 0), 0);
  const text =
    `${count(machines, 'node', 'nodes')} of pool ${status.pool} will get no new jobs and be deleted when the last job ` +
    `on each has ended; held nodes stay. Now: ${count(status.running, 'job runs', 'jobs run')}, ` +
    `${count(status.waiting, 'job waits', 'jobs wait')}.`;
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
