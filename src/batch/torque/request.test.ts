import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readHosts } from './jobs.ts';
import { readJobs as readSlots } from './nodes.ts';
import { parseNodes, readRequest } from './request.ts';

const group = (count: number, ppn = 1, names: string[] = [], gpus = 0) => ({ count, ppn, gpus, names });

describe('the nodes= grammar', () => {
  const cases: readonly (readonly [string, ReturnType<typeof group>[] | null, boolean?])[] = [
    ['3', [group(3)]],
    ['2:ppn=4:bigmem+1:ppn=2', [group(2, 4, ['bigmem']), group(1, 2)]],
    ['t1:ppn=2', [group(1, 2, ['t1'])]],
    ['bigmem', [group(1, 1, ['bigmem'])]],
    ['t1+t2', [group(1, 1, ['t1']), group(1, 1, ['t2'])]],
    ['2:ppn=1:gpus=2:exclusive_process', [group(2, 1, [], 2)]],
    ['1:ppn=64:x86_64:cl_zewura#excl', [group(1, 64, ['x86_64', 'cl_zewura'])], true],
    ['2:ppn=2#shared', [group(2, 2)]],
    ['2:ppn=2#cluster1', [group(2, 2, ['cluster1'])]],
    ['1:ppn=2:mics=1', [group(1, 2)]],
    ['', null],
    ['0', null],
    ['2:ppn=0', null],
    ['2:ppn=x', null],
    ['2::ppn=1', null],
    ['1+', null],
  ];
  for (const [text, groups, exclusive = false] of cases) {
    test(`${JSON.stringify(text)}: ${groups === null ? 'none' : `${groups.length} groups`}`, () => {
      assert.deepEqual(parseNodes(text), groups === null ? null : { groups, exclusive });
    });
  }
});

describe('what a job asks for', () => {
  const cases: readonly (readonly [string, Record<string, string>, string])[] = [
    ['nothing', {}, '1 x 1 of 1, 0 MiB'],
    ['ncpus and mem', { 'Resource_List.ncpus': '2', 'Resource_List.mem': '500mb' }, '1 x 2 of 2, 500 MiB'],
    ['procs', { 'Resource_List.procs': '5' }, '1 x 1 of 5, 0 MiB'],
    ['nodes', { 'Resource_List.nodes': '2:ppn=2' }, '2 x 2 of 4, 0 MiB'],
    [
      'mem is of the whole job',
      { 'Resource_List.nodes': '2:ppn=2', 'Resource_List.mem': '3gb' },
      '2 x 2 of 4, 1536 MiB',
    ],
    [
      'pmem is of each process',
      { 'Resource_List.nodes': '2:ppn=4', 'Resource_List.pmem': '1gb' },
      '2 x 4 of 8, 4096 MiB',
    ],
    ['the largest group counts', { 'Resource_List.nodes': '1:ppn=8+4:ppn=1' }, '5 x 8 of 12, 0 MiB'],
    ['#excl', { 'Resource_List.nodes': '1:ppn=2#excl' }, '1 x 2 of 2, 0 MiB alone'],
    [
      'naccesspolicy',
      { 'Resource_List.nodes': '1', 'Resource_List.naccesspolicy': 'singlejob' },
      '1 x 1 of 1, 0 MiB alone',
    ],
    ['gpus', { 'Resource_List.nodes': '2:ppn=1:gpus=2' }, '2 x 1 of 2, 0 MiB gpu 2'],
    ['-L', { L_Request: '-L tasks=4:lprocs=2:memory=1gb' }, '1 x 2 of 8, 1024 MiB'],
    ['-L, one task on a node', { L_Request: '-L tasks=4:lprocs=2:place=node' }, '4 x 2 of 8, 0 MiB alone'],
    ['-L, all of a node', { L_Request: '-L tasks=2:lprocs=all' }, '2 x 1 of 2, 0 MiB alone'],
    [
      '-L, two requests',
      { L_Request: '-L tasks=1:lprocs=4 -L tasks=2:lprocs=1:maxtpn=1:gpus=1' },
      '3 x 4 of 6, 0 MiB gpu 1',
    ],
    [
      '-L as the server keeps it',
      { 'req_information.task_count.0': '2', 'req_information.lprocs.0': '3' },
      '1 x 3 of 6, 0 MiB',
    ],
    ['a size that is none', { 'Resource_List.mem': 'much' }, 'none'],
    ['nodes that are none', { 'Resource_List.nodes': ':::' }, 'none'],
    ['-L without tasks', { L_Request: '-L lprocs=2' }, 'none'],
  ];
  for (const [title, values, expected] of cases) {
    test(`${title}: ${expected}`, () => {
      const found = readRequest((name) => values[name]);
      const ask = found?.ask;
      const more = `${ask?.exclusive ? ' alone' : ''}${ask?.gres ? ` gpu ${ask.gres.gpu}` : ''}`;
      assert.equal(
        ask ? `${ask.nodes} x ${ask.cpusPerNode} of ${ask.cpus}, ${ask.memoryMiB} MiB${more}` : 'none',
        expected,
      );
    });
  }

  const wants: readonly (readonly [string, unknown])[] = [
    ['2:ppn=2', null],
    ['2:bigmem', { names: ['bigmem'], hosts: 2, all: true }],
    ['1:bigmem+1:bigmem', { names: ['bigmem'], hosts: 2, all: true }],
    ['1:bigmem+2', { names: ['bigmem'], hosts: 1, all: false }],
    ['t1', { names: ['t1'], hosts: 1, all: true }],
    ['t1:ppn=2+t2:ppn=2', { names: ['t1'], hosts: 1, all: false, others: ['t2'] }],
    ['t1+2:bigmem', { names: ['bigmem'], hosts: 2, all: false, others: ['t1'] }],
  ];
  for (const [text, expected] of wants) {
    test(`${text} wants ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(readRequest((name) => (name === 'Resource_List.nodes' ? text : undefined))?.wants, expected);
    });
  }
});

describe('slots and hosts of all versions', () => {
  const slots: readonly (readonly [string, string[] | null, number?])[] = [
    ['', [], 0],
    ['0/12.srv, 1/12.srv', ['12.srv'], 2],
    ['0-2/12.srv,3/13.srv', ['12.srv', '13.srv'], 4],
    ['0,3/138.srv', ['138.srv'], 2],
    ['0-1,5/7.srv,2/8[3].srv', ['7.srv', '8[3].srv'], 4],
    ['12.srv', null],
    ['0/', null],
    ['0/1.srv,', ['1.srv'], 1],
  ];
  for (const [text, jobs, used] of slots) {
    test(`jobs of a node ${JSON.stringify(text)}`, () => {
      assert.deepEqual(readSlots(text), jobs === null ? null : { jobs, used });
    });
  }
  const hosts: readonly (readonly [string, string[] | null])[] = [
    ['t1/0-1+t2/0-1', ['t1', 't2']],
    ['t2/0+t2/1-2', ['t2']],
    ['t1/1+t1/0', ['t1']],
    ['node-1.example.org/0,2', ['node-1.example.org']],
    ['t1', null],
    ['t1/x', null],
    ['+', null],
  ];
  for (const [text, expected] of hosts) {
    test(`exec_host ${text}`, () => assert.deepEqual(readHosts(text), expected));
  }
});
