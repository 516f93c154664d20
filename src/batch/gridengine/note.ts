/**
 * Where our mark lives. Grid Engine keeps no reason for a disabled queue instance, so the note stands beside it: a
 * string attribute of the cell's complex, set for the execution host (`complex_values hybrid_cloud=...`). `qstat -F`
 * shows it with the instance's state in one reading, it outlives daemons and machines, and a person can write it too.
 *
 * A disabled instance without a note, or with one that is not ours, was closed by a person.
 */
import { oneLine } from '../../lib/log.ts';
import { MARK } from '../batch.ts';

/** Name of the attribute. */
export const NOTE = 'hybrid_cloud';

/** The line of `qconf -mc` that makes it. Not requestable: it never decides where a job runs. */
export const NOTE_LINE = `${NOTE} hybrid_cloud STRING == NO NO NONE 0`;

const LONGEST = 200;

/**
 * Blanks are allowed in a value; `,` and `=` would end it, a `<` comes back from qstat as `%lt;`, and qconf's own
 * temporary file is read with backslashes as line ends. Those are written as %XX.
 */
export function encodeNote(text: string): string {
  const plain = [...oneLine(text).trim()].slice(0, LONGEST).join('').trimEnd();
  return plain.replace(/[%,=<\\"']/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

export function decodeNote(value: string): string {
  const text = value.replaceAll('%lt;', '<').trim();
  return text.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/**
 * The note for a host we close. A host that is in several queues may have an instance that a person closed before: it
 * is named, so that opening the host does not open it.
 */
export function ourNote(reason: string, notOurs: readonly string[]): string {
  const tail = notOurs.length === 0 ? '' : ` [not: ${notOurs.join(' ')}]`;
  const text = `${MARK} ${oneLine(reason).replaceAll('[', '(').replaceAll(']', ')').trim()}`;
  return (
    [...text]
      .slice(0, Math.max(0, LONGEST - tail.length))
      .join('')
      .trimEnd() + tail
  );
}

export function isOurs(note: string): boolean {
  return note.startsWith(MARK);
}

/** Queues whose instance was closed by a person when we closed the host. */
export function notOursIn(note: string): string[] {
  const named = /\[not: ([^[\]]+)\]$/.exec(note)?.[1];
  return isOurs(note) && named !== undefined ? named.split(' ') : [];
}
