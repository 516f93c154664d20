/**
 * A token bucket, as clouds limit how many machines may be asked for: so many at once, then so many per second
 * (EC2 RunInstances: 1,000 and 2 per second).
 */
export interface Bucket {
  /** Takes up to `wanted` tokens at this time (epoch ms). @returns how many there were */
  take(wanted: number, at: number): number;
}

export interface BucketOptions {
  /** The most it holds. */
  readonly burst: number;
  readonly perSecond: number;
  /** What is in it at the beginning; default: it is full. */
  readonly filled?: number;
}

export function makeBucket(options: BucketOptions, start: number): Bucket {
  let tokens = options.filled ?? options.burst;
  let last = start;
  return {
    take(wanted, at) {
      tokens = Math.min(options.burst, tokens + ((at - last) / 1000) * options.perSecond);
      last = at;
      const taken = Math.min(wanted, Math.floor(tokens + 1e-9));
      tokens -= taken;
      return taken;
    },
  };
}
