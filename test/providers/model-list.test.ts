import { expect, test } from 'bun:test';
import { readModelList } from '../../src/providers/model-list.ts';

test.each(['\u001b[31mred', 'two\nlines', 'right\u202eto left', 'half \ud83d of one', 'x'.repeat(257), ''])(
  'readModelList() omits a model with the id %j',
  (id) => {
    expect(readModelList({ data: [{ id }, { id: 'm-1', display_name: 'M 1' }] }).models).toEqual([
      { id: 'm-1', title: 'M 1' },
    ]);
  },
);

test('readModelList() omits a display name with control characters', () => {
  expect(readModelList({ data: [{ id: 'm-1', display_name: '\u001b]0;x\u0007' }] }).models).toEqual([
    { id: 'm-1' },
  ]);
});
