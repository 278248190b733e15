/**
 * Loaded before src/main.ts: counts what the program makes of native objects, and how often it asks for what crosses
 * into the runtime. Sends all counts to the parent when it sends anything.
 */
const counts: Record<string, number> = {};
const count = (name: string) => {
  counts[name] = (counts[name] ?? 0) + 1;
};

type Callable = (...args: unknown[]) => unknown;
type Constructor = new (...args: unknown[]) => object;

/** Counts `new`, and the static methods that are named; these see the true constructor. */
function countConstructor(name: string, statics: readonly string[] = []): void {
  const globals = globalThis as unknown as Record<string, Constructor>;
  const original = globals[name]!;
  const counted = new Map(
    statics.map((key) => {
      const method = (original as unknown as Record<string, Callable>)[key]!;
      return [key, countedFunction(`${name}.${key}`, method.bind(original) as Callable)];
    }),
  );
  globals[name] = new Proxy(original, {
    construct(target, args: unknown[], created) {
      count(`new ${name}`);
      return Reflect.construct(target, args, created === globals[name] ? target : created) as object;
    },
    get(target, key) {
      const method = typeof key === 'string' ? counted.get(key) : undefined;
      if (method) return method;
      const value: unknown = Reflect.get(target, key);
      // Static methods such as Promise.all construct what `this` is.
      return typeof value === 'function' && key !== Symbol.species && key !== Symbol.hasInstance
        ? (value as Callable).bind(target)
        : value;
    },
  });
}

function countedFunction(name: string, original: Callable): Callable {
  return function (this: unknown, ...args: unknown[]) {
    count(name);
    return original.apply(this, args);
  };
}

function countMethods(name: string, holder: object, keys: readonly (string | symbol)[]): void {
  const record = holder as Record<string | symbol, Callable>;
  for (const key of keys) record[key] = countedFunction(name, record[key]!);
}

countMethods('Headers read', Headers.prototype, ['get', 'has']);
countMethods('Headers written', Headers.prototype, ['set', 'append', 'delete']);
countMethods('Headers iterated', Headers.prototype, [
  'entries',
  'forEach',
  'keys',
  'values',
  'toJSON',
  Symbol.iterator,
]);
countMethods('AbortSignal listener', AbortSignal.prototype, ['addEventListener']);
countMethods('ReadableStream.getReader', ReadableStream.prototype, ['getReader']);
countMethods('TextDecoder.decode', TextDecoder.prototype, ['decode']);
countMethods('TextEncoder.encode', TextEncoder.prototype, ['encode', 'encodeInto']);
for (const name of ['fetch', 'setTimeout', 'setInterval', 'queueMicrotask'])
  countMethods(name, globalThis, [name]);
countMethods('JSON.parse', JSON, ['parse']);
countMethods('JSON.stringify', JSON, ['stringify']);
for (const name of ['from', 'concat', 'alloc', 'allocUnsafe']) countMethods(`Buffer.${name}`, Buffer, [name]);
countConstructor('AbortController');
countConstructor('AbortSignal', ['any', 'timeout']);
for (const name of ['Headers', 'Request', 'ReadableStream', 'TransformStream', 'TextEncoder', 'TextDecoder'])
  countConstructor(name);
countConstructor('Response', ['json']);
countConstructor('URL', ['parse']);
countConstructor('Promise', ['withResolvers', 'race', 'all', 'allSettled', 'any']);

process.on('message', () => void process.send!({ ...counts }));
