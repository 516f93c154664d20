/**
 * checkVersion: the commands exist, run, and are Grid Engine's of a release we know; the cell answers; and the attribute
 * that holds our mark is there.
 */
import { BatchError } from '../../domain/errors.ts';
import type { Ask } from '../command.ts';
import { askResources } from './cell.ts';
import { failureOf } from './command.ts';
import { NOTE, NOTE_LINE } from './note.ts';

/** Releases whose output has the form we read: Son of Grid Engine 8, Sun's last one, Open Grid Scheduler. */
const KNOWN = /^(SGE 8\.1\.\d+|S?GE 6\.2\S*|OGS\/GE 2011\.\S+)$/;
const TESTED = 'SGE 8.1.9 (Debian, Ubuntu) is the tested one';

/** @returns as printed: `SGE 8.1.9`. @throws BatchError `missing`, `version`, `permission`, `silent`, `refused` */
export async function askVersion(ask: Ask, signal?: AbortSignal): Promise<string> {
  let text = '';
  for (const name of ['qstat', 'qhost', 'qconf', 'qmod']) {
    const result = await ask([name, '-help'], signal);
    const line = result.stdout.trim().split('\n')[0] ?? '';
    // asked for help, some of them end with 1
    const failure = failureOf(result);
    if (failure && line === '') throw failure;
    if (KNOWN.test(line)) {
      text = line;
      continue;
    }
    const said = JSON.stringify(line.slice(0, 80));
    if (/^(UGE|AGE|N1GE|S?GE|OGS\/GE|OCS)\s+\S*\d/.test(line)) {
      throw new BatchError('version', `${name} is ${said}, a release that is not known here; ${TESTED}`);
    }
    throw new BatchError('version', `${name} -help says ${said}: this is not Grid Engine`, {
      hint: 'BATCH_SYSTEM names another batch system than the one installed here',
    });
  }
  const resources = await askResources(ask, signal);
  const note = resources.get(NOTE);
  if (note !== undefined && !/STRING$/.test(note.type)) {
    throw new BatchError('refused', `the attribute ${NOTE} of the cell is of type ${note.type}, not STRING`);
  }
  if (note === undefined) {
    throw new BatchError('refused', `the cell has no attribute ${NOTE}, where the reason for closing a host is kept`, {
      hint: `on the master host, as root: qconf -mc, and add the line "${NOTE_LINE}"`,
    });
  }
  return text;
}
