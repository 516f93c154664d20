import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readRequest } from './request.ts';

const SIZE = { cpus: 4, memoryMiB: 8192 };

describe('select and place', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['1:ncpus=2', 'free', '1 x 2 of 2, 0 MiB'],
    ['2:ncpus=2', 'scatter', '2 x 2 of 4, 0 MiB'],
    ['2:ncpus=1:mpiprocs=1', 'vscatter:shared', '2 x 1 of 2, 0 MiB'],
    ['2:ncpus=2:mem=1gb', 'pack', '1 x 4 of 4, 2048 MiB'],
    ['2:ncpus=2:mem=1gb', 'free', '1 x 4 of 4, 2048 MiB'],
    ['3:ncpus=2', 'free', '2 x 4 of 6, 0 MiB'],
    ['4:ncpus=1:mem=6gb', 'free', '4 x 1 of 4, 6144 MiB'],
    ['1:ncpus=2:mem=1gb+2:ncpus=1', 'free', '1 x 4 of 4, 1024 MiB'],
    ['1:ncpus=99', 'free', '1 x 99 of 99, 0 MiB'],
    ['1:ncpus=1', 'excl', '1 x 1 of 1, 0 MiB alone'],
    ['2:ncpus=1', 'scatter:exclhost:group=arch', '2 x 1 of 2, 0 MiB alone'],
    ['1:mem=1gb:ncpus=2', 'pack', '1 x 2 of 2, 1024 MiB'],
    ['1:ncpus=2:ngpus=1', 'free', '1 x 2 of 2, 0 MiB gpu 1'],
    ['2:ncpus=2:ngpus=2', 'scatter', '2 x 2 of 4, 0 MiB gpu 2'],
    ['3', 'scatter', '3 x 1 of 3, 0 MiB'],
    ['ncpus=2', 'free', '1 x 2 of 2, 0 MiB'],
    ['x', 'free', 'none'],
    ['', 'free', 'none'],
    ['1:ncpus=x', 'free', 'none'],
    ['1:mem=much', 'free', 'none'],
    ['0:ncpus=1', 'free', 'none'],
    ['1:ncpus=1+', 'free', 'none'],
  ];
  for (const [select, place, expected] of cases) {
    test(`${select} ${place}: ${expected}`, () => {
      const ask = readRequest(select, place, SIZE)?.ask;
      const more = `${ask?.exclusive ? ' alone' : ''}${ask?.gres ? ` gpu ${ask.gres.gpu}` : ''}`;
      assert.equal(
        ask ? `${ask.nodes} x ${ask.cpusPerNode} of ${ask.cpus}, ${ask.memoryMiB} MiB${more}` : 'none',
        expected,
      );
    });
  }

  test('of a pool whose sizes are not known, chunks that may go together do', () => {
    assert.equal(readRequest('8:ncpus=2', 'free', { cpus: 0, memoryMiB: 0 })?.ask.nodes, 1);
  });

  const wants: readonly (readonly [string, unknown])[] = [
    ['1:ncpus=1', null],
    ['1:host=p1:ncpus=1', { names: ['host=p1'], hosts: 1, all: true }],
    ['1:vnode=p1[0]:ncpus=1+1:ncpus=2', { names: ['vnode=p1[0]'], hosts: 1, all: false }],
    ['1:host=p1:ncpus=1+1:host=p2:ncpus=1', { names: ['host=p1'], hosts: 1, all: false, others: ['host=p2'] }],
    ['2:arch=linux:ncpus=1', { names: ['arch=linux'], hosts: 2, all: false }],
    ['1:nodearray=cloud:ncpus=1', null],
  ];
  for (const [select, expected] of wants) {
    test(`${select} wants ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(readRequest(select, 'scatter', SIZE)?.wants, expected);
    });
  }
});
