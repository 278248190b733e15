/**
 * What one request makes of native objects, and how often it asks for what crosses into the runtime: that is where most
 * of its CPU goes (docs/performance.md). Change a number here together with the code that changes it, and no other.
 * A stream is what it costs without its chunks. What is not listed is 0.
 */
// prettier-ignore
export const BUDGETS: Readonly<Record<string, readonly [number, number, number, number, number, number]>> = {
  //                           request               stream relayed          stream translated
  //                           relayed  translated  begun and ended  a chunk  begun and ended  a chunk
  'AbortSignal listener':     [      1,          1,               1,       0,               1,        0],
  'Buffer.from':              [      1,          1,               1,       0,               1,        0],
  'Headers iterated':         [      2,          2,               2,       0,               2,        0],
  // The id of the request, in headers that are otherwise copied from the last response.
  'Headers written':          [      1,          1,               1,       0,               1,        0],
  'JSON.parse':               [      2,          2,               2,       1,               2,        1],
  'JSON.stringify':           [      0,          2,               1,       0,               7,        1],
  'Promise.race':             [      0,          0,               1,       0,               1,        0],
  'Promise.withResolvers':    [      1,          1,               2,       0,               2,        0],
  'ReadableStream.getReader': [      0,          0,               1,       0,               1,        0],
  'TextDecoder.decode':       [      2,          2,               2,       1,               2,        1],
  'TextEncoder.encode':       [      0,          1,               0,       0,               1,        1],
  'new AbortController':      [      1,          1,               1,       0,               1,        0],
  'new ReadableStream':       [      0,          0,               1,       0,               1,        0],
  'new Response':             [      1,          1,               1,       0,               1,        0],
  'new TextDecoder':          [      0,          0,               1,       0,               1,        0],
};
