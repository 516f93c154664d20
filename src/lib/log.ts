/**
 * Log: one line per event. For journald: a sentence first, facts after it, and a syslog priority in front (`<6>`), so
 * that `journalctl -p warning` works. In a terminal: the same sentence with the time.
 */
import type { Writable } from 'node:stream';
import { pino } from 'pino';

export type Facts = Readonly<Record<string, unknown>>;

export interface Log {
  debug(text: string, facts?: Facts): void;
  info(text: string, facts?: Facts): void;
  warn(text: string, facts?: Facts): void;
  error(text: string, facts?: Facts): void;
}

export type LogStyle = 'journal' | 'text' | 'json';

export interface LogOptions {
  readonly style: LogStyle;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly to: Writable;
  /** Values that must never appear: tokens, keys. Replaced wherever they would be printed. */
  readonly secrets?: readonly string[];
}

export function makeLog(options: LogOptions): Log {
  const clean = hide(options.secrets ?? []);
  const sink = pino(
    { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    {
      write(line: string) {
        options.to.write(clean(options.style === 'json' ? escaped(line) : format(line, options.style)));
      },
    },
  );
  return {
    debug: (text, facts) => sink.debug(facts ?? {}, text),
    info: (text, facts) => sink.info(facts ?? {}, text),
    warn: (text, facts) => sink.warn(facts ?? {}, text),
    error: (text, facts) => sink.error(facts ?? {}, text),
  };
}

/** The same log for one of several: its name stands behind every sentence. */
export function logOf(log: Log, pool: string): Log {
  return {
    debug: (text, facts) => log.debug(text, { pool, ...facts }),
    info: (text, facts) => log.info(text, { pool, ...facts }),
    warn: (text, facts) => log.warn(text, { pool, ...facts }),
    error: (text, facts) => log.error(text, { pool, ...facts }),
  };
}

/** Says nothing; for tests and for commands that print their own output. */
export const quietLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** pino levels to syslog priorities: error 3, warning 4, info 6, debug 7. */
function priority(level: number): number {
  if (level >= 50) return 3;
  if (level >= 40) return 4;
  return level >= 30 ? 6 : 7;
}

function format(line: string, style: LogStyle): string {
  const { level, time, msg, ...facts } = JSON.parse(line) as { level: number; time: string; msg?: string };
  const tail = Object.entries(facts)
    .map(
      ([key, value]) =>
        ` ${key}=${typeof value === 'string' && /^[\w.:/@-]+$/.test(value) ? value : JSON.stringify(value)}`,
    )
    .join('');
  const body = `${oneLine(msg ?? '')}${oneLine(tail)}\n`;
  if (style === 'journal') return `<${priority(level)}>${body}`;
  const mark = level >= 50 ? 'ERROR ' : level >= 40 ? 'warning: ' : '';
  return `${time.slice(11, 19)} ${mark}${body}`;
}

/** Control characters never reach a journal or a terminal: a job name could carry them. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing exactly these is the point
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ');
}

/** What JSON lets through and a terminal obeys all the same: written as \\u escapes, so that it means the same. */
function escaped(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function hide(secrets: readonly string[]): (text: string) => string {
  const long = secrets.filter((secret) => secret.length >= 4);
  if (long.length === 0) return (text) => text;
  return (text) => long.reduce((all, secret) => all.replaceAll(secret, '[hidden]'), text);
}
