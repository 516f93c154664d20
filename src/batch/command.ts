/**
 * A batch system's own commands, as all adapters run them: the words in front of each, and its time limit.
 */
import { z } from 'zod';
import type { Option, OptionValues } from '../lib/option.ts';
import { shellQuote, words } from '../lib/quote.ts';
import type { Run, RunResult } from '../lib/run.ts';

/** Runs one command of the batch system (without the prefix). Never throws for what the command does. */
export type Ask = (command: readonly string[], signal?: AbortSignal) => Promise<RunResult>;

export interface CommandSettings {
  /** Words in front of every command. */
  readonly prefix: readonly string[];
  /** ms */
  readonly timeout: number;
}

export const commandOptions: readonly Option[] = [
  {
    key: 'BATCH_RUN_PREFIX',
    schema: z.string().transform((text, context) => {
      try {
        return words(text);
      } catch (error) {
        context.addIssue({ code: 'custom', message: `words of a command, but there is ${(error as Error).message}` });
        return z.NEVER;
      }
    }),
    fallback: '',
    about: 'put in front of every command of the batch system: "ssh slurm-master", "sudo -n"',
  },
  {
    key: 'BATCH_TIMEOUT',
    schema: z
      .string()
      .regex(/^\d+(\.\d+)?$/, 'a number of seconds')
      .transform(Number)
      .refine((seconds) => seconds >= 1 && seconds <= 600, 'a number of seconds from 1 to 600'),
    fallback: '30',
    about: 'seconds until a command of the batch system that does not answer is given up',
  },
];

/** From the loaded values of `commandOptions`. */
export function commandSettings(values: OptionValues): CommandSettings {
  const prefix = values.BATCH_RUN_PREFIX;
  const timeout = values.BATCH_TIMEOUT;
  return {
    prefix: Array.isArray(prefix) ? prefix.map(String) : [],
    timeout: (typeof timeout === 'number' ? timeout : 30) * 1000,
  };
}

/** After `ssh` the words are quoted for the remote shell, which takes them apart again: ssh joins them with blanks. */
export function makeAsk(run: Run, { prefix, timeout }: CommandSettings): Ask {
  const remote = prefix.some((word) => /(^|\/)ssh$/.test(word));
  return (command, signal) =>
    run([...prefix, ...(remote ? command.map(quoted) : command)], {
      timeout,
      ...(signal === undefined ? {} : { signal }),
    });
}

/** Words that need no quotes stay as they are: they are read in logs and in sudoers. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_./:=,@+-]+$/.test(word) ? word : shellQuote(word);
}
