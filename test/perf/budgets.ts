/**
 * What one request makes of native objects, and how often it asks for what crosses into the runtime: that is where most
 * of its CPU goes (docs/performance.md). Change a number here together with the code that changes it, and no other.
 * A stream is what it costs without its chunks. What is not listed is 0.
 */
// prettier-ignore
export const BUDGETS: Readonly<Record<string, readonly [number, number, number, number, number, number]>> = {
  //                           request               stream relayed          stream translated
  //                           relayed  translated  begun and ended  a chunk  begun and ended  a chunk
  'AbortSignal listener':     [      2,          2,               2,       0,               2,        0],
  'Buffer.concat':            [      0,          0,               1,       0,               1,        0],
  'Headers iterated':         [      3,          3,               3,       0,               3,        0],
  'Headers read':             [     24,         24,              24,       0,              24,        0],
  'Headers written':          [      5,          6,               7,       0,               7,        0],
  'JSON.parse':               [      2,          2,               2,       1,               2,        1],
  'JSON.stringify':           [      1,          3,               2,       0,               8,        1],
  'Promise.race':             [      1,          1,               2,       0,               2,        0],
  'Promise.withResolvers':    [      1,          1,               2,       0,               2,        0],
  'ReadableStream.getReader': [      0,          0,               1,       0,               1,        0],
  'TextDecoder.decode':       [      2,          2,               2,       1,               2,        1],
  'TextEncoder.encode':       [      0,          1,               0,       0,               1,        1],
  'URL.parse':                [      1,          1,               1,       0,               1,        0],
  'new AbortController':      [      2,          2,               2,       0,               2,        0],
  'new Headers':              [      1,          1,               1,       0,               1,        0],
  'new ReadableStream':       [      0,          0,               1,       0,               1,        0],
  'new Response':             [      2,          2,               1,       0,               1,        0],
  'new TextDecoder':          [      0,          0,               1,       0,               1,        0],
  'new TextEncoder':          [      0,          0,               0,       0,               1,        0],
  'setTimeout':               [      3,          3,               5,       0,               5,        0],
};
