/**
 * Being on duty: signs of life while it lasts, and the question before everything that goes out: is it still ours?
 */
import { sayError } from '../../domain/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import type { DutyFiles, HolderRecord, StandbyRecord } from './records.ts';
import { makeWatch, type Watch } from './watch.ts';

export interface DutyParts {
  readonly files: DutyFiles;
  readonly record: HolderRecord;
  readonly clock: Clock;
  /** TAKEOVER_TIME, ms; a sign of life goes out ten times in it. */
  readonly takeover: number;
  /** Another process has taken over. Must end this one: it never comes back from here. */
  readonly onLost: (text: string) => never;
  /** Signs of life cannot be written; told when it begins and when the reason changes. */
  readonly onTrouble: (text: string) => void;
}

export interface Duty extends AsyncDisposable {
  readonly record: HolderRecord;
  /**
   * Returns when no newer token exists, read from the disk at this moment. Does not come back when there is one.
   * @throws Error when it cannot be read: then it is not proven, and nothing may go out
   */
  check(): void;
  /** From here on it works, with this database: for whoever takes over. */
  works(database: string): void;
  /** Those who stand by and were seen to live. */
  standbys(): readonly StandbyRecord[];
}

/** Disposing ends the signs of life and says that this process does nothing more: whoever stands by takes over at once. */
export function beginDuty({ files, record: claimed, clock, takeover, onLost, onTrouble }: DutyParts): Duty {
  let record = claimed;
  let standbys: readonly StandbyRecord[] = [];
  const watches = new Map<string, Watch>();
  const every = takeover / 10;
  const ended = new AbortController();

  function check(): void {
    let by: string;
    try {
      by = files.endedBy(record.token);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        throw new Error(`it is not proven that this process is still on duty: ${sayError(error)}`, { cause: error });
      by = 'nobody knows whom: its file is gone';
    }
    if (by === '') return;
    const [token, host, pid] = by.split(' ');
    const who = /^\d+$/.test(token ?? '') ? `pid ${pid} on ${host} with token ${token}` : by;
    onLost(
      `another hybrid-cloud has taken over (${who}; ours is ${record.token}): this one does nothing more and ends`,
    );
  }

  function beat(): void {
    check();
    record = { ...record, beat: record.beat + 1 };
    files.beat(record);
    const seen = files.standbys().filter((other) => {
      const watch = watches.get(other.id) ?? makeWatch(clock, every);
      watches.set(other.id, watch);
      return watch.look(String(other.beat)).silent < takeover;
    });
    standbys = seen;
  }

  async function live(): Promise<void> {
    let trouble = '';
    while (!ended.signal.aborted) {
      try {
        beat();
        trouble = '';
      } catch (error) {
        if (trouble !== sayError(error)) onTrouble(sayError(error));
        trouble = sayError(error);
      }
      await clock.sleep(every, ended.signal);
    }
  }
  const living = live();

  return {
    get record() {
      return record;
    },
    check,
    works(database) {
      record = { ...record, database, working: true };
      files.beat(record);
    },
    standbys: () => standbys,
    async [Symbol.asyncDispose]() {
      ended.abort();
      await living;
      try {
        check();
        record = { ...record, stopped: true };
        files.beat(record);
      } catch (error) {
        onTrouble(sayError(error));
      }
    },
  };
}
