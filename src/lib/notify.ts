/**
 * notify: tells systemd that we are ready, what we do, that we live and that we stop. Node has no Unix datagram sockets,
 * so the `systemd-notify` program sends it; it waits until systemd has read the message (systemd 246 and newer).
 */
import { oneLine } from './log.ts';
import { type Run, sayRun } from './run.ts';

export interface Notify {
  /** The service is up; `text` is what `systemctl status` shows. */
  ready(text: string): Promise<void>;
  /** Shown by `systemctl status`. The same text again is not sent; of texts that pile up only the newest is. */
  status(text: string): Promise<void>;
  /** A sign of life. */
  watchdog(): Promise<void>;
  stopping(): Promise<void>;
  /** Milliseconds between two signs of life (half of what systemd allows), or null: it wants none. */
  readonly watchdogEvery: number | null;
}

export interface NotifyOptions {
  readonly run: Run;
  /** What systemd gave us. Without NOTIFY_SOCKET nothing is ever started. */
  readonly env: { readonly NOTIFY_SOCKET?: string | undefined; readonly WATCHDOG_USEC?: string | undefined };
  /** Told once, in one line, when systemd-notify fails: systemd will stop a service it hears nothing from. */
  readonly trouble?: (text: string) => void;
}

/** Longer than the 5 s for which systemd-notify itself waits for a busy systemd. */
const LIMIT = 8000;

/** Messages go one after another, in the order of the calls; each call resolves when its message is gone. Never rejects. */
export function makeNotify({ run, env, trouble }: NotifyOptions): Notify {
  const socket = env.NOTIFY_SOCKET ?? '';
  if (socket === '') {
    const nothing = async () => {};
    return { ready: nothing, status: nothing, watchdog: nothing, stopping: nothing, watchdogEvery: null };
  }

  let last: Promise<void> = Promise.resolve();
  let told = false;
  let shown = '';
  let wanted = '';

  async function send(words: readonly string[]): Promise<void> {
    let problem = '';
    try {
      const result = await run(['systemd-notify', ...words], { timeout: LIMIT, env: childEnv(socket) });
      if (result.code !== 0) problem = sayRun(result);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    if (problem === '' || told) return;
    told = true;
    trouble?.(`systemd hears nothing from us: ${problem}`);
  }

  function inTurn(work: () => Promise<void>): Promise<void> {
    last = last.then(work);
    return last;
  }

  return {
    ready(text) {
      wanted = oneLine(text);
      return inTurn(() => {
        shown = wanted;
        return send(['--ready', `--status=${wanted}`]);
      });
    },
    status(text) {
      wanted = oneLine(text);
      return inTurn(async () => {
        if (wanted === shown) return;
        shown = wanted;
        await send([`--status=${wanted}`]);
      });
    },
    watchdog: () => inTurn(() => send(['WATCHDOG=1'])),
    // Not --stopping: systemd before 253 does not know it.
    stopping: () => inTurn(() => send(['STOPPING=1'])),
    watchdogEvery: halfOf(env.WATCHDOG_USEC),
  };
}

/** Nothing but the socket and a PATH: the message must not depend on, or carry, anything of ours. */
function childEnv(socket: string): Record<string, string> {
  return { NOTIFY_SOCKET: socket, PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C.UTF-8' };
}

/** Microseconds as text to half of it in ms; systemd's own advice for the interval (sd_watchdog_enabled). */
function halfOf(usec: string | undefined): number | null {
  if (usec === undefined || !/^[1-9][0-9]{0,15}$/.test(usec)) return null;
  return Math.max(1, Math.floor(Number(usec) / 2000));
}
