/** The output of `--preview`, `--preview-html` and `--stats`, and the suggested next step. */
import { describe, expect, test } from 'bun:test';
import { EXPORT_FORMATS } from '../../../src/config/export/options.ts';
import { previewPage } from '../../../src/export/preview/page.ts';
import { previewText } from '../../../src/export/preview/text.ts';
import { toolNames, turnsOfRow } from '../../../src/export/preview/turns.ts';
import { FORMATS } from '../../../src/export/render/all.ts';
import { nextStep } from '../../../src/export/report/next-step.ts';
import { statsText } from '../../../src/export/report/summary.ts';
import { line } from '../records.ts';
import { workshop } from '../workshop.ts';
import { soundRow } from '../render/rows.ts';

const PLAIN = { color: false, width: 80 };

describe('turnsOfRow()', () => {
  test.each(EXPORT_FORMATS.map((name) => [name]))(
    'shows all content of a row of %s, and marks what is trained',
    (name) => {
      const row = soundRow(name);
      const turns = turnsOfRow(row, FORMATS[name].loss);
      const said = turns.map(({ text }) => text).join('\n');
      expect(turns.every(({ role, text }) => role !== '' && typeof text === 'string')).toBe(true);
      for (const text of ['Be kind.', 'f?', 'One.', 'Hello', 'Go.', 'Let me see.'])
        if (JSON.stringify(row).includes(text)) expect(said).toContain(text);
      // The rejected answer is not trained, and a reference is for the grader.
      const trained = turns.filter((turn) => turn.trained).map(({ role }) => role.split(',')[0]!);
      const role = {
        rft: [],
        text: ['text'],
        'trl-dpo': ['chosen'],
        'openai-dpo': ['chosen'],
        'trl-pc': ['completion'],
        kto: ['completion'],
      };
      const roles = new Set(trained);
      if (name in role) expect([...roles]).toEqual(role[name as keyof typeof role]);
      else
        expect([...roles].every((one) => ['assistant', 'model', 'gpt', 'function_call'].includes(one))).toBe(
          true,
        );
    },
  );

  test('omits the mark if a weight or a flag says so', () => {
    const says = (more: object) => ({ role: 'assistant', content: 'a', ...more });
    const messages = [says({ weight: 0 }), says({ weight: 1 }), says({ train: false }), says({})];
    expect(turnsOfRow({ messages }, 'per_turn').map(({ trained }) => trained)).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  test('finds tools in the structure of every format', () => {
    for (const [name, tools] of [
      ['openai', ['f']],
      ['gemini', ['f', 'g']],
      ['bedrock', ['f', 'g']],
      ['sharegpt', ['f']],
      ['openai-dpo', ['f']],
      ['alpaca', []],
    ] as const)
      expect([name, toolNames(soundRow(name))]).toEqual([name, [...tools]]);
  });
});

describe('previewText()', () => {
  test('marks, wraps and cuts lines, and lets no text control the terminal', () => {
    const row = {
      messages: [
        { role: 'user', content: `\x1b[2J\x07long ${'x'.repeat(200)}` },
        { role: 'assistant', content: Array.from({ length: 60 }, (_, n) => `line ${n}`).join('\n') },
      ],
    };
    const text = previewText([row], 'all', PLAIN);
    expect(text).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(text.split('\n').every((one) => one.length <= 80)).toBe(true);
    expect(text).toContain('▌ line 0\n');
    expect(text).toContain('▌ ... 20 more lines');
    expect(text).toContain('  \ufffd[2J\ufffdlong');
    expect(previewText([row], 'all', { color: true, width: 80 })).toContain('\x1b[32m▌ ');
    expect(previewText([], 'all', PLAIN)).toBe('There are no rows to show\n');
  });
});

test('previewPage() loads nothing from other hosts, and runs nothing that a row contains', () => {
  const row = { messages: [{ role: 'user', content: '<script>alert(1)</script><img src="http://a">' }] };
  const page = previewPage([row], 'all', { kept: 1, format: 'trl' });
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=&quot;http://a&quot;&gt;');
  expect(page).not.toMatch(/<script|<img|<link|src=[^&]|href=/);
  expect(page).toContain("default-src 'none'");
});

test('nextStep() names the files, quoted for the shell if necessary', () => {
  const written = { path: 'my data/', directory: true, parquet: false, validated: true };
  expect(nextStep('trl', written)).toBe(
    "trl sft --model_name_or_path MODEL --dataset_name 'my data/' --eval_strategy epoch --output_dir OUT",
  );
  expect(nextStep('trl-dpo', { ...written, path: 'rows.jsonl', directory: false })).toBe(
    'in Python: load_dataset("json", data_files="rows.jsonl")',
  );
  for (const name of EXPORT_FORMATS) expect(nextStep(name, { ...written, path: 'x/' })).toContain('x/');
});

test('--stats shows times, keys, tags and cost of all records that match the filters', async () => {
  const at = (day: number, more: object) => line({ ts: `2026-11-0${day}T10:00:00.000Z`, ...more });
  const log =
    at(3, { key: 'b', cost: 0.5, tags: { team: 'search' } }) +
    at(1, { key: 'a', cost: 0.25 }) +
    at(2, {
      key: 'a',
      cost: null,
      outcome: 'error',
      status: 503,
      fault: 'overloaded',
      finish: null,
      response: { error: {} },
    }) +
    at(9, { key: 'c', model: 'other', cost: 9 });
  await using shop = await workshop({ 'a.ndjson': log });
  for (const threads of [0, 2]) {
    const { report } = await shop.run('--stats --model gpt-* --force', {}, threads);
    expect(report.records).toEqual({
      count: 3,
      first: '2026-11-01T10:00:00.000Z',
      last: '2026-11-03T10:00:00.000Z',
      cost: 0.75,
      priced: 2,
      keys: { a: 2, b: 1 },
      tags: { 'team=search': 1 },
      errors: { 'overloaded 503': 1 },
    });
    expect(statsText(report)).toStartWith(
      '3 records from 2026-11-01T10:00:00Z to 2026-11-03T10:00:00Z\nCost: $0.75, known for 2 records\n',
    );
  }
  expect((await shop.run('--dry-run')).report.records).toBeUndefined();
});
