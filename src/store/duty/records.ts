/**
 * The small files by which several processes, perhaps on several machines, agree on who is at work. They are made for
 * file systems whose locks cannot be trusted (NFS): each file has one writer, is written in place, and is opened anew
 * for every reading, which is what makes NFS ask its server (close-to-open); a new file comes into being by link(),
 * which succeeds for exactly one.
 *
 *   00000007.holder   who has token 7, and its sign of life; written by the holder only
 *   00000007.end      empty, until whoever takes over from 7 writes its name there
 *   standby.ID        a process that stands by, and its sign of life
 */
import { closeSync, linkSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { z } from 'zod';

const Holder = z.object({
  token: z.number(),
  /** New for each process. */
  id: z.string(),
  host: z.string(),
  /** Tells machines apart that have the same name. */
  machine: z.string(),
  pid: z.number(),
  /** Wall's time of the claim, epoch ms: for people, never compared. */
  since: z.number(),
  /** Grows while it lives. */
  beat: z.number(),
  /** It ended in good order and does nothing more. */
  stopped: z.boolean(),
  /** It holds the kernel's lock, which a process of the same machine can trust. */
  locked: z.boolean(),
  /** Its database, a name in its state folder. */
  database: z.string(),
  /** It has opened that database; before this it has done nothing at all. */
  working: z.boolean(),
  /** The token of whoever worked last before it; 0 for nobody. */
  base: z.number(),
});

export type HolderRecord = z.infer<typeof Holder>;

const Standby = z.object({ id: z.string(), host: z.string(), pid: z.number(), beat: z.number() });
export type StandbyRecord = z.infer<typeof Standby>;

/** Always the same size, below one block: writing in place needs no room on a full disk and is never seen half. */
const SIZE = 1024;

export interface DutyFiles {
  /** The greatest token that was ever claimed; 0 when none was. @throws when the folder cannot be read */
  greatest(): number;
  /** Null when it is just being written, or damaged. @throws when it cannot be read at all */
  holder(token: number): HolderRecord | null;
  beat(record: HolderRecord): void;
  /** Exactly one claimant of a token succeeds. @returns false when another was first */
  claim(record: HolderRecord): boolean;
  /** Ends every older token: from here on their holders do nothing more. */
  endOlder(token: number, by: string): void;
  /** Who took over from this token; '' while nobody did. @throws when it cannot be read */
  endedBy(token: number): string;
  standBy(record: StandbyRecord): void;
  standbys(): readonly StandbyRecord[];
  leave(id: string): void;
  /** Removes what nobody reads any more. */
  clean(token: number): void;
}

/** How many tokens' files are kept, for people. */
const KEEP = 20;

/** @param folder is there already */
export function dutyFiles(folder: string): DutyFiles {
  const path = (token: number, kind: 'holder' | 'end') => join(folder, `${String(token).padStart(8, '0')}.${kind}`);
  const tokens = (kind: 'holder' | 'end') =>
    readdirSync(folder).flatMap((name) => {
      const [, digits, what] = /^(\d{8,15})\.(holder|end)$/.exec(name) ?? [];
      return what === kind ? [Number(digits)] : [];
    });
  const waiting = (id: string) => join(folder, `standby.${id}`);
  return {
    greatest: () => Math.max(0, ...tokens('holder')),
    holder: (token) => read(path(token, 'holder'), Holder),
    beat: (record) => write(path(record.token, 'holder'), 'r+', record),
    claim(record) {
      closeSync(openSync(path(record.token, 'end'), 'a', 0o600));
      const draft = join(folder, `draft.${record.id}`);
      try {
        write(draft, 'w', record);
        linkSync(draft, path(record.token, 'holder'));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        // The answer to our own link() may have been lost on the way, and the call repeated.
        return read(path(record.token, 'holder'), Holder)?.id === record.id;
      } finally {
        rmSync(draft, { force: true });
      }
    },
    endOlder(token, by) {
      for (const older of tokens('end').filter((one) => one < token)) {
        const file = openSync(path(older, 'end'), 'r+');
        try {
          writeSync(file, `${by}\n`, 0);
        } finally {
          closeSync(file);
        }
      }
    },
    endedBy: (token) => readFileSync(path(token, 'end'), 'utf8').trim(),
    standBy: (record) => write(waiting(record.id), 'w', record),
    standbys: () =>
      readdirSync(folder)
        .filter((name) => name.startsWith('standby.'))
        .flatMap((name) => readIfThere(join(folder, name)) ?? []),
    leave: (id) => rmSync(waiting(id), { force: true }),
    clean(token) {
      for (const kind of ['holder', 'end'] as const) {
        for (const old of tokens(kind)) if (old <= token - KEEP) rmSync(path(old, kind), { force: true });
      }
    },
  };
}

function write(file: string, how: 'w' | 'r+', record: object): void {
  const text = JSON.stringify(record);
  const line = `${crc32(text).toString(16).padStart(8, '0')} ${text}`;
  const whole = Buffer.alloc(SIZE, ' ');
  if (whole.write(`${line}\n`) !== Buffer.byteLength(line) + 1) throw new Error(`${file}: the record is too long`);
  const open = openSync(file, how, 0o600);
  try {
    writeSync(open, whole, 0, SIZE, 0);
  } finally {
    closeSync(open);
  }
}

function read<T>(file: string, schema: z.ZodType<T>): T | null {
  const [, sum, text] = /^([0-9a-f]{8}) ([^\n]*)\n/.exec(readFileSync(file, 'utf8')) ?? [];
  if (sum === undefined || text === undefined || crc32(text) !== Number.parseInt(sum, 16)) return null;
  const parsed = schema.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : null;
}

function readIfThere(file: string): StandbyRecord | null {
  try {
    return read(file, Standby);
  } catch {
    return null;
  }
}
