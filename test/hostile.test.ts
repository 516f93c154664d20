/**
 * Names, reasons and messages that users, nodes and clouds choose, chosen to do harm: none of them becomes a command, an
 * order to a terminal, or a part of a page. (What the command line prints: src/cli/cli.test.ts. What the API takes:
 * src/service/server.test.ts.)
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { watcher } from '../src/bootstrap/dead-man.ts';
import { makeScript } from '../src/bootstrap/script.ts';
import { renderEvents } from '../src/cli/render/events.ts';
import { renderStatus } from '../src/cli/render/status.ts';
import { makeLog } from '../src/lib/log.ts';
import { run } from '../src/lib/run.ts';
import { aStatus, NOW } from '../src/service/fake-control.ts';

const ROOT = join(import.meta.dirname, '..');
/** Each would leave a file `owned` behind, if anything ran it; and each has what a terminal obeys. */
const EVIL = [
  '$(touch owned)',
  '`touch owned`',
  "'; touch owned; '",
  '"; touch owned; "',
  '| touch owned',
  '& touch owned &',
  'x\ntouch owned\n',
  "'\\''$(touch owned)",
  '-o ProxyCommand=touch$IFS$1owned',
  '\u001b]0;title\u0007\u001b[2J\u009b31m',
  '\r\u202e\u2066evil',
];
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'hc-hostile-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test('what goes to a node arrives as text, and runs nothing', async (t) => {
  const dir = folder(t);
  for (const evil of EVIL) {
    const host = { name: evil, ip: evil };
    const whole = makeScript(evil, host, { source: evil, dir: evil, type: evil, options: evil }, 5, 600_000);
    // The values as the node's shell sees them, instead of the work.
    const shown =
      '\nfor v in "$hc_mark" "$hc_name" "$hc_ip" "$hc_source" "$hc_dir" "$hc_type" "$hc_options"; do printf "%s\\0" "$v"; done\n';
    const script = whole.replace('\nhc_main </dev/null\n', shown);
    assert.ok(script.endsWith(shown));
    const result = await run(['sh', '-s'], { stdin: script, timeout: 20_000, cwd: dir });
    assert.deepEqual(result.stdout.split('\0').slice(0, -1), Array(7).fill(evil), evil);

    const dead = watcher(host, 600_000, { dir: evil }).replace(
      /\ndm_main\n$/,
      '\nprintf "%s\\0" "$dm_name" "$dm_dir"\n',
    );
    const seen = await run(['sh', '-s'], { stdin: dead, timeout: 20_000, cwd: dir });
    assert.deepEqual(seen.stdout.split('\0').slice(0, -1), [evil, evil], evil);
  }
  assert.deepEqual(readdirSync(dir), []);
});

test('no log style passes on what a terminal obeys, and one message is one line', () => {
  for (const style of ['journal', 'text', 'json'] as const) {
    for (const evil of EVIL) {
      let text = '';
      const to = new Writable({
        write(chunk, _encoding, done) {
          text += String(chunk);
          done();
        },
      });
      makeLog({ style, level: 'info', to }).info(evil, { host: evil });
      assert.equal(text.split('\n').length, 2, `${style}: ${JSON.stringify(text)}`);
      assert.doesNotMatch(text, OBEYED, style);
    }
  }
});

test('neither events nor the other services pass it on', () => {
  const screen = { columns: 80, color: false, now: NOW };
  for (const evil of EVIL) {
    const events = renderEvents([{ id: 1, at: NOW, level: 'warn', subject: evil, text: evil }], screen);
    const other = { host: evil, pid: 1 };
    const status = renderStatus(
      aStatus({ active: { ...other, token: 1, since: NOW, expected: true, standbys: [other] } }),
      screen,
    );
    assert.doesNotMatch([...events, ...status].join('\n'), OBEYED);
  }
});

test('nothing of a log becomes a part of the report', async (t) => {
  const dir = folder(t);
  const name = '<img src=x onerror=alert(1)>.swf';
  const job = (id: number) => `${id} ${id * 60} 0 600 1 -1 -1 1 600 -1 1 1 1 1 1 1 -1 -1`;
  const lines = ['; <script>alert(1)</script>', job(1), '<script>alert(2)</script> & "more"', job(2), job(3)];
  writeFileSync(join(dir, name), `${lines.join('\n')}\n`);
  const page = join(dir, 'page.html');
  const command = [
    process.execPath,
    join(ROOT, 'src/main.ts'),
    'simulate',
    join(dir, name),
    '--hosts',
    '2',
    '--html',
    page,
  ];
  const result = await run(command, { timeout: 60_000 });
  assert.equal(result.code, 0, result.stderr);
  const html = readFileSync(page, 'utf8');
  assert.doesNotMatch(html, /<script|<img|onerror=alert\(1\)>/i);
  assert.match(html, /&lt;img src=x onerror=alert\(1\)&gt;\.swf/);
});
