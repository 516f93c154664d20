/**
 * Torque 4, 5 and 6, through its own commands: `pbsnodes -x` for nodes, `qstat -t -x QUEUE` for jobs.
 *
 * The nodes of the pool stay defined in the server for ever. A host without a machine is `down` and `offline` with our
 * note; nodes are never created or deleted here: deleting one with a job loses the job, and pbs_sched deletes waiting
 * jobs that the nodes defined at the time could never run (both seen with 6.1.3).
 */
import { BatchError } from '../../domain/errors.ts';
import type { Batch } from '../batch.ts';
import { makeFamilyAsk, makePbsFamily } from '../pbs-family/adapter.ts';
import { failureOf, hasNoNodes } from '../pbs-family/failure.ts';
import type { NodeReading } from '../pbs-family/node.ts';
import { nudge } from '../pbs-family/nudge.ts';
import type { PbsFamilyParts, PbsFamilySettings } from '../pbs-family/settings.ts';
import { readJobs } from './jobs.ts';
import { makeJustOpened } from './just-opened.ts';
import { readNodes } from './nodes.ts';
import { askVersion } from './version.ts';

export { pbsFamilyOptions as torqueOptions, pbsFamilySettings as torqueSettings } from '../pbs-family/settings.ts';

const NOTHING: NodeReading = { nodes: new Map(), broken: new Map(), lost: [] };

export function makeTorque(settings: PbsFamilySettings, parts: PbsFamilyParts): Batch {
  const ask = makeFamilyAsk(parts, settings);
  const justOpened = makeJustOpened(parts.clock);
  let last: NodeReading = NOTHING;

  async function nodes(_hosts: readonly string[], signal?: AbortSignal): Promise<NodeReading> {
    // all nodes: asked for by name, one that the server does not know would end the command without any other
    const result = await ask(['pbsnodes', '-x'], signal);
    const failure = hasNoNodes(result) ? null : failureOf(result);
    if (failure) throw failure;
    const reading = hasNoNodes(result) ? NOTHING : readNodes(result.stdout);
    if (reading === 'garbled' || (reading.nodes.size === 0 && !hasNoNodes(result) && result.stdout.trim() === '')) {
      throw garbled('pbsnodes -x', result.stdout);
    }
    last = reading;
    return justOpened.correct(reading);
  }

  return makePbsFamily(
    {
      key: 'torque',
      name: 'Torque',
      version: (signal) => askVersion(ask, signal),
      nodes,
      async jobs(queue, _nodes, signal) {
        const result = await ask(['qstat', '-t', '-x', queue], signal);
        const failure = failureOf(result);
        if (failure) throw failure;
        const reading = readJobs(result.stdout, queue);
        if (reading === 'garbled') throw garbled('qstat -x', result.stdout);
        return reading;
      },
      gate: {
        open: ['pbsnodes', '-c', '-N', ''],
        close: (reason) => ['pbsnodes', '-o', '-N', reason],
        longest: 200,
        opened: (hosts) => justOpened.add(hosts),
      },
      async seen(_reading, jobsWait, signal) {
        const back = justOpened.takeBack(last);
        if (back.length > 0 && jobsWait) await nudge(ask, parts.log, signal);
      },
    },
    ask,
    settings,
    parts,
  );
}

function garbled(command: string, text: string): BatchError {
  return new BatchError('garbled', `the answer of ${command} was cut or is not its own`, {
    hint: 'Torque answers in XML; if these are the commands of OpenPBS, set BATCH_SYSTEM=pbs',
    facts: { bytes: text.length, start: text.slice(0, 100), end: text.slice(-200) },
  });
}
