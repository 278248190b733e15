import { describe, expect, test } from 'bun:test';
import { tracedRequest, Trace } from '../../src/pipeline/record/trace.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const trace = (headers: Record<string, string>, sample = 1, random = Math.random) =>
  new Trace(headers, { random, sample });

describe('Trace', () => {
  test('continues the caller’s trace, and gives each attempt a span of its own', () => {
    const own = trace({ traceparent: PARENT, tracestate: 'vendor=1,other=2' });
    expect(own).toMatchObject({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentId: 'b7ad6b7169203331',
      sampled: true,
      state: 'vendor=1,other=2',
    });
    const [first, second] = [own.attempt(1), own.attempt(2)];
    expect(new Set([own.spanId, first!.spanId, second!.spanId, own.parentId]).size).toBe(4);
    expect(own.headersFor(first!)).toEqual({
      traceparent: `00-${own.traceId}-${first!.spanId}-01`,
      tracestate: 'vendor=1,other=2',
    });
  });

  test.each([
    ['that is empty', ''],
    ['in another format', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331'],
    ['in upper case', PARENT.toUpperCase()],
    ['with a trace id of zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
    ['with a span id of zeros', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`],
    ['with the invalid version', PARENT.replace('00-', 'ff-')],
    ['with more fields than its version has', `${PARENT}-more`],
  ])('starts a new trace for a header %s', (_, traceparent) => {
    const own = trace({ traceparent, tracestate: 'vendor=1' });
    expect(own.parentId).toBeUndefined();
    expect(own.state).toBeUndefined();
    expect(own.traceId).toMatch(/^(?!0+$)[0-9a-f]{32}$/);
    expect(own.spanId).toMatch(/^(?!0+$)[0-9a-f]{16}$/);
  });

  test('reads the known fields of later versions', () => {
    expect(trace({ traceparent: `01-${PARENT.slice(3)}-more` }).parentId).toBe('b7ad6b7169203331');
  });

  test('is sampled as the caller decided, or else at random', () => {
    expect(trace({ traceparent: PARENT.replace(/01$/, '00') }).sampled).toBe(false);
    expect(trace({ traceparent: PARENT }, 0).sampled).toBe(true);
    expect(trace({}, 0.25, () => 0.24).sampled).toBe(true);
    expect(trace({}, 0.25, () => 0.25).sampled).toBe(false);
    const own = trace({}, 0);
    expect(own.headersFor(own.attempt(0)).traceparent).toEndWith('-00');
  });

  test('drops a tracestate that is too long or not a valid header', () => {
    expect(trace({ traceparent: PARENT, tracestate: 'x'.repeat(513) }).state).toBeUndefined();
    expect(trace({ traceparent: PARENT, tracestate: 'a=\u00e4' }).state).toBeUndefined();
  });

  test('never creates ids of zeros', () => {
    const own = trace({}, 1, () => 0);
    expect([own.traceId, own.spanId]).toEqual([`${'0'.repeat(31)}1`, `${'0'.repeat(15)}1`]);
  });
});

test('tracedRequest() keeps parameters for spans, but no text that people wrote', () => {
  expect(
    tracedRequest({ model: 'm', messages: [{ content: 'secret' }], temperature: 1, user: 'me' }),
  ).toEqual({
    temperature: 1,
  });
});
