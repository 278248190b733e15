/** Builds frames from other frames. */
import type { Frame, Shape, Strings } from './shape.ts';

/** Some rows of a frame, in the given order. */
export function takeRows<S extends Shape>(shape: S, frame: Frame<S>, which: Uint32Array): Frame<S> {
  if (which.length === frame.rows && which.every((row, at) => row === at)) return frame;
  const columns = Object.entries(shape).map(([name, type]) => {
    const values = frame.columns[name]!;
    if (type === 'utf8' || type === 'binary') return [name, takeStrings(values as Strings, which)];
    if (type === 'int64') return [name, takePairs(values as Uint32Array, which)];
    return [name, takeNumbers(values as Int32Array, which)];
  });
  return { rows: which.length, columns: Object.fromEntries(columns) as Frame<S>['columns'] };
}

/** All rows of several frames. */
export function joinFrames<S extends Shape>(shape: S, frames: readonly Frame<S>[]): Frame<S> {
  if (frames.length === 1) return frames[0]!;
  const columns = Object.entries(shape).map(([name, type]) => {
    const values = frames.map((frame) => frame.columns[name]!);
    if (type === 'utf8' || type === 'binary') return [name, joinStrings(values as Strings[])];
    if (type === 'int64') return [name, joinNumbers(values as Uint32Array[], Uint32Array)];
    if (type === 'int32') return [name, joinNumbers(values as Int32Array[], Int32Array)];
    return [name, joinNumbers(values as Int8Array[], Int8Array)];
  });
  const rows = frames.reduce((sum, frame) => sum + frame.rows, 0);
  return { rows, columns: Object.fromEntries(columns) as Frame<S>['columns'] };
}

function takeNumbers(values: Int32Array | Int8Array, which: Uint32Array): Int32Array | Int8Array {
  const taken = values instanceof Int8Array ? new Int8Array(which.length) : new Int32Array(which.length);
  for (let at = 0; at < which.length; at++) taken[at] = values[which[at]!]!;
  return taken;
}

function takePairs(values: Uint32Array, which: Uint32Array): Uint32Array {
  const taken = new Uint32Array(2 * which.length);
  for (let at = 0; at < which.length; at++) {
    taken[2 * at] = values[2 * which[at]!]!;
    taken[2 * at + 1] = values[2 * which[at]! + 1]!;
  }
  return taken;
}

function takeStrings({ offsets, bytes }: Strings, which: Uint32Array): Strings {
  const ends = new Int32Array(which.length + 1);
  for (let at = 0; at < which.length; at++)
    ends[at + 1] = ends[at]! + offsets[which[at]! + 1]! - offsets[which[at]!]!;
  const taken = new Uint8Array(ends[which.length]!);
  for (let at = 0; at < which.length; at++)
    taken.set(bytes.subarray(offsets[which[at]!], offsets[which[at]! + 1]), ends[at]);
  return { offsets: ends, bytes: taken };
}

function joinNumbers<A extends Int8Array | Int32Array | Uint32Array>(
  all: readonly A[],
  Make: new (length: number) => A,
): A {
  const joined = new Make(all.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const values of all) {
    joined.set(values, at);
    at += values.length;
  }
  return joined;
}

function joinStrings(all: readonly Strings[]): Strings {
  const count = all.reduce((sum, { offsets }) => sum + offsets.length - 1, 0);
  const offsets = new Int32Array(count + 1);
  let at = 0;
  for (const one of all)
    for (let row = 0; row < one.offsets.length - 1; row++, at++)
      offsets[at + 1] = offsets[at]! + one.offsets[row + 1]! - one.offsets[row]!;
  const pieces = all.map((one) => one.bytes.subarray(one.offsets[0], one.offsets.at(-1)));
  return { offsets, bytes: Buffer.concat(pieces) };
}
