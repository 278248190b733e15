import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { timeOf } from '../../../src/config/moment.ts';
import { LogTimes } from '../../../src/export/read/log-times.ts';

test('LogTimes reads each time as timeOf() does, whatever came before', () => {
  const written = fc
    .date({
      min: new Date('2026-11-01T10:00:00Z'),
      max: new Date('2026-11-01T10:02:00Z'),
      noInvalidDate: true,
    })
    .map((date) => date.toISOString());
  const odd = fc.constantFrom(
    '2026-11-01T10:00:60.000Z',
    '2026-11-01T10:00:59.999z',
    '2026-11-01T10:00:1x.000Z',
    '2026-11-01T10:00:10,000Z',
    '2026-11-01T10:00:10.0000Z',
    '2026-11-01T10:00:10.00Z',
    '2026-11-01T10:00:10.000+01:00',
    '2026-13-01T10:00:10.000Z',
    '2026-11-01T24:00:00.000Z',
    '2026-11-01 10:00:10',
    '2026-11-01',
    '',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 3, arbitrary: written }, odd), { maxLength: 20 }), (texts) => {
      const times = new LogTimes();
      expect(texts.map((text) => times.read(text))).toEqual(texts.map(timeOf));
    }),
  );
});
