/**
 * How this process comes to be the one at work: at once, or after it stood by for as long as another was.
 */
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { AppParts } from './app.ts';
import type { Settings } from './config/settings.ts';
import type { CheckLine } from './controller/check/ask.ts';
import type { ActiveView } from './controller/view.ts';
import { sayError } from './domain/errors.ts';
import { span } from './domain/words.ts';
import type { Clock } from './lib/clock.ts';
import { makeFolder } from './lib/folder.ts';
import { randomId } from './lib/ids.ts';
import { serveStandby } from './service/standby.ts';
import type { Duty } from './store/duty/duty.ts';
import { dutyFolder, type OnDuty, openOnDuty } from './store/duty/open.ts';
import { dutyFiles, type HolderRecord } from './store/duty/records.ts';

/** Exit code of a service from which another one took over. */
export const TAKEN_OVER = 3;

/**
 * Waits for duty and takes it, with the database that belongs to it.
 * @param onLook called at each look while it waits: it lives, although it has nothing to do
 * @returns null when the signal aborts first. @throws LockedError without `--standby` while another is at work
 */
export async function takeOver(
  settings: Settings,
  parts: AppParts,
  signal: AbortSignal,
  onLook: () => void,
): Promise<OnDuty | null> {
  const { clock, log, notify } = parts;
  try {
    makeFolder(settings.standbyDir, 0o700);
  } catch (error) {
    throw new Error(`STANDBY_DIR cannot be made (${sayError(error)})`);
  }
  let waiting = 'looking whether another service is at work';
  let told = '';
  await using standing = new AsyncDisposableStack();
  if (parts.standby) {
    standing.use(await serveStandby(settings.apiSocket, () => `this service stands by: ${waiting}`));
    await notify.ready('standing by');
  }
  return await openOnDuty(
    {
      stateDir: settings.stateDir,
      standbyDir: settings.standbyDir,
      self: { id: randomId('hc-'), host: hostname(), machine: machine(), pid: parts.pid },
      clock,
      takeover: settings.takeover,
      standby: parts.standby,
      stamp: new Date(clock.now()).toISOString().replace(/[-:]|\..*/g, ''),
      onWait(active, silent) {
        onLook();
        const who = `${say(active)} is at work`;
        waiting = `${who}, ${silent < 2000 ? 'and was seen to live just now' : `but gave no sign of life for ${span(silent)}`}`;
        const news = `${who}; taking over when it gives no sign of life for ${span(settings.takeover)}`;
        if (told === news) return;
        told = news;
        log.info(news);
        void notify.status(`standing by: ${who}`);
      },
      onTrouble: (text) => log.warn(`the folder of the services' signs of life: ${text}`),
      onLost(text) {
        log.error(text);
        return parts.end(TAKEN_OVER);
      },
    },
    signal,
  );
}

/** For `check`: who is at work here, seen to live or not. Takes as long as two signs of life. */
export async function checkActive(settings: Settings, clock: Clock): Promise<CheckLine> {
  const line = (ok: CheckLine['ok'], text: string, hint = ''): CheckLine => ({ what: 'active', ok, text, hint });
  try {
    const folder = dutyFolder(settings.standbyDir);
    if (!existsSync(folder)) return line('ok', 'no service has been at work here');
    const files = dutyFiles(folder);
    const read = () => {
      const token = files.greatest();
      return token === 0 ? null : files.holder(token);
    };
    const first = read();
    if (first === null) return line('ok', 'no service has been at work here');
    if (first.stopped) return line('ok', `nobody is at work; the last one, ${say(first)}, ended in good order`);
    await clock.sleep(settings.takeover / 5);
    const second = read();
    if (second !== null && second.beat !== first.beat) return line('ok', `${say(second)} is at work`);
    return line(
      'note',
      `nobody is at work; the last one, ${say(first)}, gives no sign of life`,
      'start it, or its standby',
    );
  } catch (error) {
    return line('wrong', `who is at work cannot be read: ${sayError(error)}`, 'run check as the user of the service');
  }
}

/** @param expected somebody should stand by */
export function activeView(duty: Duty, expected: boolean): ActiveView {
  const { token, host, pid, since } = duty.record;
  const standbys = duty.standbys().map((one) => ({ host: one.host, pid: one.pid }));
  return { token, host, pid, since, expected, standbys };
}

function say({ pid, host, token }: HolderRecord): string {
  return `pid ${pid} on ${host} (token ${token})`;
}

/** Two machines with one name are told apart by what their systems were born with. */
function machine(): string {
  try {
    return `${readFileSync('/etc/machine-id', 'utf8').trim()} ${hostname()}`;
  } catch {
    return hostname();
  }
}
