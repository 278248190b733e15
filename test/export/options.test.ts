import { describe, expect, test } from 'bun:test';
import { schema } from '../../src/config/schema.ts';
import { environmentFlags, FLAGS, parseFlags, variableOf } from '../../src/export/flags.ts';
import type { FlagName } from '../../src/export/flags.ts';
import { resolveSettings } from '../../src/export/options.ts';

interface Given {
  args?: string;
  env?: Record<string, string>;
  config?: object;
  logs?: string;
  terminal?: boolean;
}

function settings({ args = '', env = {}, config, logs, terminal = false }: Given) {
  const written = {
    providers: [{ name: 'a', type: 'mock' as const }],
    export: config,
    logging: { requests: logs ? { directory: logs } : {} },
  };
  return resolveSettings({
    flags: parseFlags(args.split(' ').filter(Boolean)),
    env: environmentFlags(env),
    config: config || logs ? schema.parse(written) : undefined,
    terminal,
  });
}

describe('parseFlags()', () => {
  test('reads flags, switches, short names and inputs in any order', () => {
    const args = [
      'a.log',
      '-o',
      'x',
      '--log-file',
      'b',
      '--log-file=c',
      '-qv',
      '--no-export-all',
      '--force=false',
      '-',
      '--',
      '--d',
    ];
    expect(parseFlags(args)).toEqual({
      values: { output: 'x', quiet: true, verbose: true, 'export-all': false, force: false },
      inputs: ['a.log', 'b', 'c', '-', '--d'],
    });
    expect(parseFlags(['--output', '-']).values.output).toBe('-');
    expect(parseFlags(['--model-filter=--x']).values['model-filter']).toBe('--x');
  });

  test.each([
    [
      '--sucessful-only',
      'Cannot use --sucessful-only: there is no such flag, did you mean --successful-only?',
    ],
    ['--model', 'Cannot use --model: there is no such flag, did you mean --model-filter?'],
    [
      '--no-sucessful-only',
      'Cannot use --no-sucessful-only: there is no such flag, did you mean --successful-only?',
    ],
    ['--zzzzz', 'Cannot use --zzzzz: there is no such flag; see llmproxy export --help'],
    ['-x', 'Cannot use -x: there is no such flag; see llmproxy export --help'],
    ['--output', 'Cannot use --output: it needs a value'],
    ['--output --force', 'Cannot use --output: it needs a value'],
    ['--output=', 'Cannot use --output: it needs a value'],
    ['--no-output', 'Cannot use --no-output: only switches can be turned off'],
    ['--force=maybe', 'Cannot use --force=maybe: expected true or false'],
    ['--no-force=true', 'Cannot use --no-force=true: it takes no value'],
  ])('refuses %s', (args, message) => {
    expect(() => parseFlags(args.split(' '))).toThrow(message);
  });
});

describe('resolveSettings()', () => {
  test('without anything reads ./logs and writes to a pipe, or a file when at a terminal', () => {
    const quiet = {
      force: false,
      successfulOnly: false,
      exportAll: false,
      verbose: false,
      quiet: false,
      failEmpty: false,
    };
    expect(settings({})).toEqual({ inputs: ['./logs'], output: '-', progress: 'auto', ...quiet });
    expect(settings({ terminal: true }).output).toBe('exports/dataset.jsonl');
    expect(settings({ terminal: true, config: { output: 'x.jsonl' } }).output).toBe('x.jsonl');
    expect(settings({ config: { output: 'x.jsonl' } }).output).toBe('-');
    expect(settings({ terminal: true, args: '--output -' }).output).toBe('-');
  });

  test('takes a flag before the environment, and that before the configuration', () => {
    const config = {
      successful_only: true,
      model_filter: 'c',
      max_records: 1,
      log_file: 'c.log',
      start_date: '2026-01-01',
    };
    const env = {
      LLMPROXY_EXPORT_MODEL_FILTER: 'e',
      LLMPROXY_EXPORT_MAX_RECORDS: '2',
      LLMPROXY_EXPORT_LOG_FILE: 'e.log',
    };
    const fromConfig = settings({ config });
    expect(fromConfig).toMatchObject({
      successfulOnly: true,
      modelFilter: 'c',
      maxRecords: 1,
      inputs: ['c.log'],
    });
    expect(fromConfig.fromMs).toBe(Date.UTC(2026, 0, 1));
    expect(settings({ config, env })).toMatchObject({ modelFilter: 'e', maxRecords: 2, inputs: ['e.log'] });
    const args = '--model-filter f --max-records 3 --no-successful-only f.log';
    expect(settings({ config, env, args })).toMatchObject({
      modelFilter: 'f',
      maxRecords: 3,
      inputs: ['f.log'],
      successfulOnly: false,
    });
  });

  test('reads the log directory of the configuration', () => {
    expect(settings({ logs: 'var/log' }).inputs).toEqual(['var/log']);
  });

  test('lets a flag undo a switch of the environment, whose empty values say nothing', () => {
    const env = { LLMPROXY_EXPORT_SUCCESSFUL_ONLY: 'Yes', LLMPROXY_EXPORT_FORCE: '' };
    expect(settings({ env })).toMatchObject({ successfulOnly: true, force: false });
    expect(settings({ env, args: '--no-successful-only' }).successfulOnly).toBe(false);
    expect(settings({ env, args: '--successful-only=false' }).successfulOnly).toBe(false);
  });

  test('knows every flag by its variable', () => {
    const values: Partial<Record<FlagName, string>> = {
      'max-records': '5',
      'start-date': '2026-01-01',
      'end-date': '2026-01-02',
      progress: 'never',
    };
    for (const name of Object.keys(FLAGS) as FlagName[]) {
      const value = values[name] ?? (FLAGS[name].kind === 'switch' ? 'true' : 'x');
      const before = JSON.stringify(settings({}));
      const env = environmentFlags({ [variableOf(name)]: value });
      if (name === 'config') expect(env.values.config).toBe('x');
      else expect(JSON.stringify(settings({ env: { [variableOf(name)]: value } }))).not.toBe(before);
    }
  });

  test('takes days as whole days in UTC, and times to the moment', () => {
    const span = ({ fromMs, untilMs }: { fromMs?: number; untilMs?: number }) =>
      [fromMs, untilMs].map((ms) => new Date(ms!).toISOString());
    const days = settings({ args: '--start-date 2026-11-23 --end-date 2026-11-23' });
    expect(span(days)).toEqual(['2026-11-23T00:00:00.000Z', '2026-11-23T23:59:59.999Z']);
    const times = settings({ args: '--start-date 2026-11-23T10:00 --end-date 2026-11-23T12:00:00+01:00' });
    expect(span(times)).toEqual(['2026-11-23T10:00:00.000Z', '2026-11-23T11:00:00.000Z']);
  });

  test.each([
    [{ args: '--max-records 0' }, 'Cannot use --max-records 0: expected a whole number from 1'],
    [{ args: '--max-records 1.5' }, 'Cannot use --max-records 1.5: expected a whole number from 1'],
    [{ args: '--max-records=-5' }, 'Cannot use --max-records -5: expected a whole number from 1'],
    [
      { env: { LLMPROXY_EXPORT_MAX_RECORDS: 'x' } },
      'Cannot use LLMPROXY_EXPORT_MAX_RECORDS x: expected a whole number from 1',
    ],
    [{ env: { LLMPROXY_EXPORT_FORCE: 'x' } }, 'Cannot use LLMPROXY_EXPORT_FORCE=x: expected true or false'],
    [
      { args: '--start-date 2026-02-30' },
      'Cannot use --start-date 2026-02-30: expected a day such as 2026-11-23, or an ISO time',
    ],
    [
      { args: '--start-date 2026-02-02 --end-date 2026-02-01' },
      'Cannot use --start-date 2026-02-02: it is after --end-date 2026-02-01',
    ],
    [
      { config: { start_date: '2026-03-01' }, args: '--end-date 2026-02-01' },
      'Cannot use export.start_date 2026-03-01: it is after --end-date 2026-02-01',
    ],
    [{ args: '--progress some' }, 'Cannot use --progress some: expected auto, always or never'],
  ] as [Given, string][])('refuses %j', (given, message) => {
    expect(() => settings(given)).toThrow(message);
  });
});
