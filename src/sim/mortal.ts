/**
 * A process that can die: the ports it works with are wrapped, and when it is dead nothing it still does reaches the
 * world. So a crash can be placed before and after every single write and call, inside one test process.
 */
export interface Mortal {
  dead(): boolean;
  /** The port; `calls` are the methods that change something, where death may strike. */
  wrap<T extends object>(name: string, port: T, calls: readonly (keyof T & string)[]): T;
}

class Death extends Error {
  override readonly name = 'Death';
}

export function mortal(dies: (what: string) => boolean = () => false): Mortal {
  let dead = false;
  const strike = (what: string): void => {
    if (dead || !dies(what)) return;
    dead = true;
    throw new Death(what);
  };
  return {
    dead: () => dead,
    wrap(name, port, calls) {
      const mortalCalls: ReadonlySet<string> = new Set(calls);
      return new Proxy(port, {
        get(target, key) {
          const value: unknown = Reflect.get(target, key);
          if (typeof value !== 'function' || typeof key !== 'string') return value;
          return (...args: unknown[]): unknown => {
            if (dead) return undone(name, target, key, args);
            if (mortalCalls.has(key)) strike(`before ${name}.${key}`);
            const result: unknown = Reflect.apply(value, target, args);
            if (!mortalCalls.has(key)) return result;
            if (!(result instanceof Promise)) {
              strike(`after ${name}.${key}`);
              return result;
            }
            return result.then((answer: unknown) => {
              strike(`after ${name}.${key}`);
              return answer;
            });
          };
        },
      });
    },
  };
}

/** What a dead process sees: its store can still be read, its writes go nowhere, its calls never end. */
function undone(name: string, target: object, key: string, args: readonly unknown[]): unknown {
  if (name !== 'store') return new Promise(() => {});
  const readable = ['hosts', 'host', 'clocks', 'brake', 'events', 'note', 'spent'];
  const method: unknown = Reflect.get(target, readable.includes(key) ? key : 'host');
  return typeof method === 'function' ? Reflect.apply(method, target, args) : undefined;
}
