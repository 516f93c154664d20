/** The adapter over made-up answers: what recordings do not show, and how often it asks. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BatchError } from '../../domain/errors.ts';
import { MARK } from '../batch.ts';
import { type Answers, fixture, gridEngineOf, scene } from './fixtures/replay.ts';
import { encodeNote, NOTE } from './note.ts';

interface Instance {
  readonly name: string;
  readonly state?: string;
  readonly used?: number;
  readonly slots?: number;
  readonly note?: string;
  readonly load?: string;
  readonly jobs?: string;
}

/** One cell: the same to qstat and to qhost. */
function cell(instances: readonly Instance[], jobs = ''): Answers {
  const lists = instances.map(({ name, state = '', used = 0, slots = 4, note, load, jobs: here = '' }) =>
    [
      `<Queue-List><name>${name}</name><qtype>BIP</qtype><slots_used>${used}</slots_used><slots_resv>0</slots_resv>`,
      `<slots_total>${slots}</slots_total>${state === '' ? '' : `<state>${state}</state>`}`,
      note === undefined ? '' : `<resource name="${NOTE}" type="hf">${encodeNote(note)}</resource>`,
      load === undefined ? '' : `<resource name="load_short" type="hl">${load}</resource>`,
      `${here}</Queue-List>`,
    ].join(''),
  );
  const hosts = Map.groupBy(instances, ({ name }) => name.split('@')[1] ?? '');
  const value = (name: string, text: string | number): string => `<queuevalue name='${name}'>${text}</queuevalue>`;
  const seen = [...hosts].map(([host, here]) => {
    const queues = here.map(
      ({ name, state = '', used = 0 }) =>
        `<queue name='${name.split('@')[0]}'>${value('slots_used', used)}${value('state_string', state)}</queue>`,
    );
    return `<host name='${host}'>${queues.join('')}</host>`;
  });
  return {
    qstat: `<?xml version='1.0'?><job_info><queue_info>${lists.join('')}</queue_info><job_info>${jobs}</job_info></job_info>`,
    qhost: `<?xml version='1.0'?><qhost><host name='global'></host>${seen.join('')}</qhost>`,
  };
}

function job(number: number, more = '', state = 'qw', kind = 'pending'): string {
  return [
    `<job_list state="${kind}"><JB_job_number>${number}</JB_job_number><JAT_prio>0.5</JAT_prio><JB_name>j</JB_name>`,
    `<JB_owner>me</JB_owner><state>${state}</state><slots>1</slots>${more}</job_list>`,
  ].join('');
}

const CLOUD = '<hard_req_queue>cloud</hard_req_queue>';

describe('which jobs are ours', () => {
  const two = [{ name: 'cloud@c1' }, { name: 'home.q@h1' }];
  const ids = async (answers: Answers): Promise<string[]> =>
    (await gridEngineOf(answers).batch.getStatus('cloud', ['c1'])).jobs.map(({ id }) => id);

  for (const [what, wish, ours] of [
    ['the queue', CLOUD, true],
    ['another queue', '<hard_req_queue>home.q</hard_req_queue>', false],
    ['both', '<hard_req_queue>home.q</hard_req_queue><hard_req_queue>cloud</hard_req_queue>', true],
    ['a pattern that fits', '<hard_req_queue>clo*</hard_req_queue>', true],
    ['any queue', '<hard_req_queue>*</hard_req_queue>', false],
    ['any queue on a host of ours', '<hard_req_queue>*@c1</hard_req_queue>', true],
    ['any queue on another host', '<hard_req_queue>*@h1</hard_req_queue>', false],
    ['the host group of the queue', '<hard_req_queue>*@@cloud</hard_req_queue>', true],
    ['another host group', '<hard_req_queue>*@@home</hard_req_queue>', false],
    ['the queue as a resource', '<hard_request name="qname">cloud</hard_request>', true],
    ['a host of ours', '<hard_request name="hostname">c1.example.org</hard_request>', true],
    ['the queue for its first process', '<master_hard_req_queue>cloud</master_hard_req_queue>', true],
    ['the queue if possible', '<soft_req_queue>cloud</soft_req_queue>', false],
    ['nothing', '', false],
  ] as const) {
    test(`with two queues, a job that asks for ${what} is ${ours ? 'ours' : 'not ours'}`, async () => {
      assert.deepEqual(await ids(cell(two, job(7, wish))), ours ? ['7'] : []);
    });
  }

  test('where there is no other queue, a job that names none is ours', async () => {
    assert.deepEqual(await ids(cell([{ name: 'cloud@c1' }], job(7))), ['7']);
  });

  test('a job of another queue on our host keeps its machine, and is not in our list', async () => {
    const running = job(9, '', 'r', 'running');
    const answers = cell([{ name: 'cloud@c1' }, { name: 'home.q@c1', used: 1, jobs: running }]);
    const { nodes, jobs } = await gridEngineOf(answers).batch.getStatus('cloud', ['c1']);
    assert.deepEqual([nodes[0]?.state, nodes[0]?.jobs, jobs], ['busy', ['9'], []]);
  });

  test('a job that names some of our hosts asks for just these', async () => {
    const answers = cell(
      [{ name: 'cloud@c1' }, { name: 'cloud@c2' }],
      job(7, `${CLOUD}<hard_request name="hostname">c2</hard_request>`),
    );
    const { jobs, nodes } = await gridEngineOf(answers).batch.getStatus('cloud', ['c1', 'c2']);
    assert.deepEqual([jobs[0]?.helped, jobs[0]?.ask.features], ['yes', [['host c2']]]);
    assert.deepEqual(
      nodes.map(({ features }) => features),
      [['host c1'], ['host c2']],
    );
    const [elsewhere] = (
      await gridEngineOf(
        cell([{ name: 'cloud@c1' }], job(7, '<hard_req_queue>cloud@h9</hard_req_queue>')),
      ).batch.getStatus('cloud', ['c1'])
    ).jobs;
    assert.deepEqual([elsewhere?.helped, elsewhere?.because !== ''], ['no', true]);
  });
});

describe('what a node is', () => {
  const one = async (instances: readonly Instance[], jobs = '') => {
    const status = await gridEngineOf(cell(instances, jobs)).batch.getStatus('cloud', ['c1']);
    return { ...status, node: status.nodes[0] };
  };

  for (const [state, note, expected] of [
    ['', undefined, ['idle', 'no', true]],
    ['d', `${MARK} gone`, ['drained', 'ours', true]],
    ['du', `${MARK} gone`, ['down', 'ours', false]],
    ['d', undefined, ['drained', 'theirs', true]],
    ['d', 'broken', ['drained', 'theirs', true]],
    ['dE', `${MARK} gone`, ['drained', 'theirs', true]],
    ['s', undefined, ['drained', 'theirs', true]],
    ['D', undefined, ['drained', 'theirs', true]],
    ['c', undefined, ['drained', 'theirs', true]],
    ['a', undefined, ['idle', 'no', true]],
    ['au', undefined, ['down', 'no', false]],
    ['o', undefined, ['idle', 'no', true]],
    ['dX', undefined, ['unknown', 'theirs', false]],
  ] as const) {
    test(`state ${state || '(none)'} with ${note === undefined ? 'no note' : `the note ${note}`}: ${expected[0]}, closed: ${expected[1]}`, async () => {
      const { node } = await one([{ name: 'cloud@c1', state, ...(note === undefined ? {} : { note }) }]);
      assert.deepEqual([node?.state, node?.closed, node?.responding], expected);
    });
  }

  test('slots in use are a job, also when no job is listed', async () => {
    const { node } = await one([{ name: 'cloud@c1', used: 1 }]);
    assert.deepEqual([node?.state, node?.hasJob, node?.cpusFree], ['busy', true, 3]);
  });

  test('a job that cannot be read may be on its host, is counted, and stops nothing', async () => {
    const bad = job(9, '', 'r', 'running').replace('<slots>1</slots>', '');
    const { node, unreadable, jobs } = await one([{ name: 'cloud@c1', jobs: bad }], job(10, CLOUD));
    assert.deepEqual([node?.hasJob, jobs.length, unreadable.length], [true, 1, 1]);
    assert.match(unreadable[0] ?? '', /9/);
  });

  test('a host open in a second queue is not closed yet', async () => {
    const { node } = await one([
      { name: 'cloud@c1', state: 'd', note: `${MARK} gone` },
      { name: 'test.q@c1', note: `${MARK} gone` },
    ]);
    assert.equal(node?.closed, 'no');
  });

  test('the long name of a host is the same host', async () => {
    const { node } = await one([{ name: 'cloud@c1.example.org' }]);
    assert.deepEqual([node?.host, node?.state], ['c1', 'idle']);
  });

  test('two names that fit are not one idle host', async () => {
    const { node } = await one([{ name: 'cloud@c1.one.org' }, { name: 'cloud@c1.two.org' }]);
    assert.equal(node?.state, 'unknown');
  });

  test('whatever differs in the load values is another registration', async () => {
    const of = async (load: string) => (await one([{ name: 'cloud@c1', load }])).node?.registration;
    assert.equal(await of('0.25'), await of('0.25'));
    assert.notEqual(await of('0.25'), await of('0.26'));
    assert.equal((await one([{ name: 'cloud@c1', load: '0.25', state: 'u' }])).node?.registration, null);
  });

  test('a state that qhost does not confirm is no ground to act', async () => {
    const open = cell([{ name: 'cloud@c1' }]);
    const shut = cell([{ name: 'cloud@c1', state: 'd' }]);
    const { batch } = gridEngineOf({ qstat: open.qstat ?? '', qhost: shut.qhost ?? '' });
    const { nodes, unreadable } = await batch.getStatus('cloud', ['c1']);
    assert.deepEqual([nodes[0]?.state, nodes[0]?.hasJob, unreadable.length], ['unknown', true, 1]);
  });

  test('a host that only qhost has in a queue is not absent', async () => {
    const { batch } = gridEngineOf({ qstat: cell([]).qstat ?? '', qhost: cell([{ name: 'cloud@c1' }]).qhost ?? '' });
    const [node] = (await batch.getStatus('cloud', ['c1'])).nodes;
    assert.deepEqual([node?.state, node?.hasJob], ['unknown', true]);
  });
});

describe('how often it asks', () => {
  test('two commands a reading, whatever the number of jobs; details and confirmations take turns', async () => {
    let answers = cell(
      [{ name: 'cloud@c1', state: 'u' }],
      Array.from({ length: 300 }, (_, i) => job(i + 1, CLOUD)).join(''),
    );
    const asked: string[][] = [];
    const { batch, commands } = gridEngineOf({
      get qstat() {
        return answers.qstat ?? '';
      },
      get qhost() {
        return answers.qhost ?? '';
      },
      details: (numbers) => {
        asked.push([...numbers]);
        return "<?xml version='1.0'?><unknown_jobs></unknown_jobs>";
      },
    });
    const cycle = async (): Promise<string[]> => {
      commands.length = 0;
      await batch.getStatus('cloud', ['c1']);
      return commands.map((line) => line.split(' ')[0] + (line.includes(' -j ') ? ' -j' : ''));
    };
    assert.deepEqual((await cycle()).slice(-3), ['qstat', 'qhost', 'qstat -j'], 'the first reading takes all');
    assert.deepEqual(await cycle(), ['qstat', 'qstat -j']);
    assert.deepEqual(await cycle(), ['qstat', 'qstat -j']);
    assert.deepEqual(
      asked.map((numbers) => numbers.length),
      [100, 100, 100],
    );
    assert.equal(new Set(asked.flat()).size, 300, 'every job in its turn');
    answers = cell([{ name: 'cloud@c1' }], job(1, CLOUD));
    assert.deepEqual(await cycle(), ['qstat', 'qhost'], 'the host came up');
    assert.deepEqual(await cycle(), ['qstat', 'qstat -j']);
    answers = cell([{ name: 'cloud@c1' }]);
    assert.deepEqual(await cycle(), ['qstat'], 'nothing waits');
  });

  test('the configuration is asked for every ten minutes', async () => {
    const { batch, commands, clock } = gridEngineOf(cell([{ name: 'cloud@c1' }]));
    const configured = async (): Promise<number> => {
      commands.length = 0;
      await batch.getStatus('cloud', ['c1']);
      return commands.filter((line) => line.startsWith('qconf')).length;
    };
    assert.ok((await configured()) > 2);
    await clock.advance(599_000);
    assert.equal(await configured(), 0);
    await clock.advance(2000);
    assert.ok((await configured()) > 2);
  });

  test('10,000 jobs cost less than 500 ms of CPU', async () => {
    const pending = Array.from({ length: 9000 }, (_, i) =>
      job(i + 1, `${CLOUD}<requested_pe name="mpi">4</requested_pe><hard_request name="mem_free">2G</hard_request>`),
    ).join('\n');
    const hosts = Array.from({ length: 100 }, (_, i) => `c${i + 1}`);
    const instances = hosts.map((host, i) => ({
      name: `cloud@${host}`,
      used: 10,
      slots: 10,
      jobs: Array.from({ length: 10 }, (_, k) => job(20_000 + i * 10 + k, CLOUD, 'r', 'running')).join('\n'),
    }));
    const { batch, commands } = gridEngineOf(cell(instances, pending));
    await batch.getStatus('cloud', hosts);
    const costs: number[] = [];
    for (let i = 0; i < 5; i++) {
      commands.length = 0;
      const before = process.cpuUsage();
      const { jobs } = await batch.getStatus('cloud', hosts);
      const { user, system } = process.cpuUsage(before);
      costs.push((user + system) / 1000);
      assert.deepEqual([jobs.length, commands.length], [10_000, 2]);
    }
    assert.ok(Math.min(...costs) < 500, `${costs.map(Math.round).join(', ')} ms`);
  });
});

describe('changes', () => {
  /** A cell that does what it is told, with one or two queues. */
  function live(states: Record<string, string>, notes: Record<string, string> = {}) {
    const refuse = new Map<string, string>();
    const made = gridEngineOf({
      get qstat() {
        return cell(
          Object.entries(states).map(([name, state]) => {
            const note = notes[name.split('@')[1] ?? ''];
            return { name, state, ...(note === undefined ? {} : { note }) };
          }),
        ).qstat as string;
      },
      get qhost() {
        return cell(Object.entries(states).map(([name, state]) => ({ name, state }))).qhost as string;
      },
      qmod: ([flag, ...names]) => {
        const refusal = refuse.get('qmod');
        if (refusal !== undefined) return { code: 1, stdout: refusal };
        for (const name of names) {
          const rest = (states[name] ?? '').replace('d', '');
          states[name] = flag === '-d' ? `d${rest}` : rest;
        }
        return '';
      },
      qconf: ([flag, , , value = '', ...hosts]) => {
        if (flag !== '-mattr' && flag !== '-dattr') return undefined;
        const refusal = refuse.get('qconf');
        if (refusal !== undefined) return { code: 1, stderr: refusal };
        for (const host of hosts) {
          if (flag === '-dattr') delete notes[host];
          else notes[host] = decodeURIComponent(value.slice(NOTE.length + 1));
        }
        return '';
      },
    });
    return { ...made, states, notes, refuse };
  }

  test('closing writes the note before it closes, opening the other way round', async () => {
    const { batch, commands, notes, states } = live({ 'cloud@c1': '', 'cloud@c2': 'u' });
    assert.deepEqual(
      (await batch.leaveCluster(['c1', 'c2'], 'idle, a=b')).map(({ result }) => result),
      ['done', 'done'],
    );
    assert.deepEqual([states['cloud@c1'], states['cloud@c2'], notes.c1], ['d', 'du', `${MARK} idle, a=b`]);
    const verbs = (): string[] => commands.flatMap((line) => /^(qmod -\w|qconf -\wattr)/.exec(line)?.[0] ?? []);
    assert.deepEqual(verbs(), ['qconf -mattr', 'qmod -d']);
    commands.length = 0;
    assert.deepEqual(
      (await batch.joinCluster(['c1', 'c2'])).map(({ result }) => result),
      ['done', 'not-yet'],
    );
    assert.deepEqual(verbs(), ['qmod -e', 'qconf -dattr']);
    assert.deepEqual([states['cloud@c1'], notes.c1], ['', undefined]);
  });

  test('an instance that a person closed before stays closed when the host is opened', async () => {
    const { batch, states } = live({ 'cloud@c1': '', 'test.q@c1': 'd' });
    assert.equal((await batch.leaveCluster(['c1'], 'idle'))[0]?.result, 'done');
    assert.deepEqual([states['cloud@c1'], states['test.q@c1']], ['d', 'd']);
    await batch.joinCluster(['c1']);
    assert.deepEqual([states['cloud@c1'], states['test.q@c1']], ['', 'd']);
  });

  test('a person who opened a host we closed, and closes it later, is not taken for us', async () => {
    const { batch, states } = live({ 'cloud@c1': '' });
    await batch.leaveCluster(['c1'], 'idle');
    states['cloud@c1'] = '';
    assert.equal((await batch.getStatus('cloud', ['c1'])).nodes[0]?.closed, 'no');
    states['cloud@c1'] = 'd';
    assert.equal((await batch.getStatus('cloud', ['c1'])).nodes[0]?.closed, 'theirs');
    assert.equal((await batch.joinCluster(['c1']))[0]?.result, 'left-alone');
    states['cloud@c1'] = '';
    assert.equal((await batch.leaveCluster(['c1'], 'idle'))[0]?.result, 'done', 'we may close it again');
    assert.equal((await batch.getStatus('cloud', ['c1'])).nodes[0]?.closed, 'ours');
  });

  test('where the note is refused, nothing is closed', async () => {
    const { batch, states, refuse } = live({ 'cloud@c1': '' });
    refuse.set('qconf', `denied: attribute "${NOTE}" is not a complex attribute\n`);
    const [outcome] = await batch.leaveCluster(['c1'], 'idle');
    assert.deepEqual([outcome?.result, states['cloud@c1']], ['failed', '']);
    assert.match(outcome?.message ?? '', /qconf -mc, and add the line "hybrid_cloud hybrid_cloud STRING/);
    refuse.set('qconf', 'denied: "me" must be manager for this operation\n');
    await assert.rejects(batch.leaveCluster(['c1'], 'idle'), { kind: 'permission', hint: /qconf -am/ });
    assert.equal(states['cloud@c1'], '');
  });

  test('a refusal of qmod is told, and an error without rights thrown', async () => {
    const { batch, refuse } = live({ 'cloud@c1': '' });
    refuse.set('qmod', 'invalid queue "cloud@c1"\n');
    const [outcome] = await batch.leaveCluster(['c1'], 'idle');
    assert.equal(outcome?.result, 'failed');
    assert.match(outcome?.message ?? '', /invalid queue/);
    refuse.set('qmod', 'me - you have no permission to modify queue "cloud@c1"\n');
    await assert.rejects(batch.leaveCluster(['c1'], 'idle'), { kind: 'permission', hint: /qconf -ao/ });
  });

  test('two hundred and one hosts are three commands of each kind', async () => {
    const hosts = Array.from({ length: 201 }, (_, i) => `c${i + 1}`);
    const { batch, commands } = live(Object.fromEntries(hosts.map((host) => [`cloud@${host}`, ''])));
    assert.ok((await batch.leaveCluster(hosts, 'idle')).every(({ result }) => result === 'done'));
    assert.equal(commands.filter((line) => line.startsWith('qmod -d')).length, 3);
    assert.equal(commands.filter((line) => line.startsWith('qconf -mattr')).length, 3);
  });
});

describe('the version', () => {
  const check = (help: string, complex = fixture('marks-qconf-sc.txt')) =>
    gridEngineOf({ help: () => help, qconf: ([flag]) => (flag === '-sc' ? complex : undefined) }).batch.checkVersion();

  test('known ones are told as they are', async () => {
    for (const line of ['SGE 8.1.9', 'GE 6.2u5', 'OGS/GE 2011.11p1']) {
      assert.deepEqual(await check(`${line}\nusage: qstat [options]\n`), { family: 'gridengine', text: line });
    }
  });

  test('others are refused, and the tested one is named', async () => {
    for (const line of ['UGE 8.6.4', 'AGE 2023.1.0', 'SGE 6.1u6']) {
      await assert.rejects(check(`${line}\nusage\n`), { kind: 'version', message: /SGE 8\.1\.9/ });
    }
    await assert.rejects(check('usage: qstat [-f] [-J] [-p]\n'), {
      kind: 'version',
      message: /this is not Grid Engine/,
    });
  });

  test('without the attribute for our note, the line to add is told', async () => {
    await assert.rejects(check('SGE 8.1.9\n', fixture('run-pend-qconf-sc.txt')), (error) => {
      assert.ok(error instanceof BatchError);
      assert.equal(error.kind, 'refused');
      assert.match(error.hint, /qconf -mc.*hybrid_cloud hybrid_cloud STRING == NO NO NONE 0/);
      return true;
    });
  });
});

test('an empty cell, a queue that does not exist, half an answer', async () => {
  const { batch } = gridEngineOf(scene('nohosts'));
  assert.deepEqual((await batch.getStatus('cloud', ['g1'])).jobs, []);
  await assert.rejects(batch.getStatus('nope', ['g1']), { kind: 'no-queue' });
  await assert.rejects(batch.getStatus('no such', ['g1']), { kind: 'no-queue' });
  const half = scene('pe').qstat as string;
  await assert.rejects(gridEngineOf({ ...scene('pe'), qstat: half.slice(0, 3000) }).batch.getStatus('cloud', ['g1']), {
    kind: 'garbled',
  });
  await assert.rejects(gridEngineOf({ ...scene('pe'), qstat: '' }).batch.getStatus('cloud', ['g1']), {
    kind: 'garbled',
  });
});
