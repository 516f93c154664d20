/**
 * A node that joins does not start the scheduler of either system: it looks at its next turn, which is 600 s away with
 * the default scheduler_iteration. Setting `scheduling` to True, which it already is, makes it look at once (seen with
 * pbs_server 6.1.3, and with OpenPBS 23.06.06: 0.23 s). Where a person switched scheduling off, it stays off.
 */
import type { Log } from '../../lib/log.ts';
import type { AskFamily } from './adds-up.ts';
import { readAttributes } from './amounts.ts';
import { failureOf } from './failure.ts';

/** Best effort: jobs start without it, only later. Never throws. */
export async function nudge(ask: AskFamily, log: Log, signal?: AbortSignal): Promise<void> {
  const server = await ask(['qstat', '-B', '-f'], signal);
  if (server.code !== 0 || readAttributes(server.stdout).get('scheduling') !== 'True') return;
  const failure = failureOf(await ask(['qmgr', '-c', 'set server scheduling = True'], signal));
  if (failure) log.warn(`the scheduler could not be told of new nodes: ${failure.message}`, { hint: failure.hint });
}
