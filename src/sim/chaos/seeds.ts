/**
 * Seeds that once ended badly, kept with what was wrong, and replayed by the suite. A seed means a history only together
 * with the troubles of its time; what each one found has a test of its own, too.
 */
export const SEEDS: readonly { readonly seed: number; readonly found: string }[] = [
  { seed: 4, found: 'a host taken out of hosts.json was dropped in the middle of a look, and the look failed' },
  { seed: 36, found: 'the same, at the step of another host' },
  { seed: 7, found: 'a call that ended on a full disk ended the whole service' },
  { seed: 40, found: 'after a lost database a second machine was made for one not listed yet' },
  { seed: 41, found: 'one answer that left a draining node out had its machine deleted under a job' },
  { seed: 84, found: 'a clock set back by a week: nothing that was begun before went on' },
  { seed: 159, found: 'the same, with an operator’s drain' },
  { seed: 215, found: 'a list that lacked a machine at its boot deadline had it forgotten' },
  { seed: 246, found: 'a list and a queue that both left a node out had its machine deleted under a job' },
  { seed: 3672, found: 'a machine asked for a moment ago and not listed yet was taken for gone, and another made' },
  { seed: 4172, found: 'an empty list while nobody had accepted a deletion: the machine was taken for gone' },
  { seed: 7468, found: 'a node that a person had opened was deleted although it took jobs' },
  { seed: 9368, found: 'a node that a failed write had left open was deleted although it took jobs' },
  {
    seed: 988,
    found:
      'an empty list in the moment a quarantine ended: a second machine beside one of the same name, left from before an address was changed and the database lost',
  },
  {
    seed: 1953,
    found: 'a second request for a lease was refused while the first had made a machine that was not listed yet',
  },
  {
    seed: 3991,
    found:
      'a start that died after it had carried the clocks on and before it wrote down the moment: the next one moved them again, a day into the future, and the wait of the classic policy never ended',
  },
  {
    seed: 5904,
    found: 'at the first look after a silence a second machine was made beside a failed one that was listed',
  },
  {
    seed: 3108,
    found: 'no fault of the service: machines that were being deleted already counted against the number of hosts',
  },
  { seed: 4996, found: 'the same' },
  { seed: 9115, found: 'the same' },
  {
    seed: 7699,
    found:
      'no fault of the service: two lies of the list in a row hid a stranger’s machine for 180 s, longer than the bound of the histories',
  },
  {
    seed: 30358,
    found: 'policy classic: an idle host that hosts.json had no more kept the place of the one host that a job named',
  },
  {
    seed: 846,
    found:
      'both hosts of a job of two were left out together though it could not use only one: the pair it could use was never tried',
  },
  { seed: 1131, found: 'the same' },
];
