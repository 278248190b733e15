import { describe, expect, test } from 'bun:test';
import { schema } from '../../../src/config/schema.ts';
import type { OptionName } from '../../../src/config/export/options.ts';
import { configKeyOf, OPTION_NAMES, OPTIONS, variableOf } from '../../../src/config/export/options.ts';
import { environmentOptions, parseFlags } from '../../../src/export/options/flags.ts';
import { resolveSettings } from '../../../src/export/options/settings.ts';

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
    env: environmentOptions(env),
    config: config || logs ? schema.parse(written) : undefined,
    terminal,
    nowMs: Date.UTC(2026, 10, 23),
    argv: [],
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
    expect(parseFlags(['--model', 'gpt-{4o,5}*, o3 ,{', '--model', 'a']).values.model).toEqual([
      'gpt-{4o,5}*',
      'o3',
      '{',
      'a',
    ]);
    expect(parseFlags(['--output', '-']).values.output).toBe('-');
    expect(parseFlags(['--model-filter=--x']).values['model-filter']).toBe('--x');
  });

  test.each([
    [
      '--sucessful-only',
      'Cannot use --sucessful-only: there is no such flag, did you mean --successful-only?',
    ],
    ['--modl', 'Cannot use --modl: there is no such flag, did you mean --model?'],
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
  ])('rejects %s', (args, message) => {
    expect(() => parseFlags(args.split(' '))).toThrow(message);
  });
});

describe('resolveSettings()', () => {
  test('by default reads ./logs and writes to a pipe, or to a file if stdout is a terminal', () => {
    const plain = settings({});
    expect(plain).toMatchObject({
      inputs: ['./logs'],
      progress: 'auto',
      verbose: false,
      quiet: false,
      failEmpty: false,
    });
    expect([plain.plan.raw, plain.plan.format, plain.plan.selection.successfulOnly]).toEqual([
      false,
      'openai',
      false,
    ]);
    const output = (given: Given) => settings(given).sink.path;
    expect(output({})).toBe('-');
    expect(output({ terminal: true })).toBe('exports/dataset.jsonl');
    expect(output({ terminal: true, config: { output: 'x.jsonl' } })).toBe('x.jsonl');
    expect(output({ config: { output: 'x.jsonl' } })).toBe('-');
    expect(output({ terminal: true, args: '--output -' })).toBe('-');
  });

  test('writes the trl format into a directory by default', () => {
    expect(settings({ args: '-o out/' })).toMatchObject({
      sink: { shape: 'directory', hash: true },
      plan: { format: 'trl' },
    });
    expect(settings({ args: '-o out/ -f mistral' }).plan.format).toBe('mistral');
    expect(settings({ args: '-o out/ --export-all' }).plan.raw).toBe(true);
  });

  test('treats conversations as rows if the format trains them, and answers if it trains these', () => {
    const how = (args: string) => {
      const { curation, plan } = settings({ args });
      return [curation.conversations, curation.unlogged, plan.earlier, plan.unrendered];
    };
    expect(how('-f openai')).toEqual(['collapse', 'mask', 'unrendered', false]);
    expect(how('-f trl')).toEqual(['collapse', 'mask', 'unrendered', false]);
    expect(how('-f trl --unlogged-turns keep')).toEqual(['collapse', 'keep', 'train', false]);
    expect(how('-f trl-pc')).toEqual(['turns', 'pass', 'train', false]);
    expect(how('-f openai --conversations turns')).toEqual(['turns', 'pass', 'mask', false]);
    expect(how('-f kto')).toEqual(['turns', 'pass', 'train', true]);
    expect(how('-f openai --corrections')).toEqual(['collapse', 'mask', 'unrendered', true]);
    expect(how('--export-all')).toEqual(['turns', 'pass', 'train', false]);
  });

  test('ignores conversation options of the configuration if complete records are written', () => {
    const { curation } = settings({ args: '--export-all', config: { near_dup: 0.8 } });
    expect([curation.near, curation.dedup]).toEqual([undefined, 'none']);
  });

  test('prefers a flag to the environment, and that to the configuration', () => {
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
    const told = (given: Given) => {
      const { plan, curation, inputs } = settings(given);
      const { successfulOnly, modelFilter } = plan.selection;
      return { successfulOnly, modelFilter, maxRecords: curation.maxRecords, inputs };
    };
    expect(told({ config })).toEqual({
      successfulOnly: true,
      modelFilter: 'c',
      maxRecords: 1,
      inputs: ['c.log'],
    });
    expect(settings({ config }).plan.selection.fromMs).toBe(Date.UTC(2026, 0, 1));
    expect(told({ config, env })).toMatchObject({ modelFilter: 'e', maxRecords: 2, inputs: ['e.log'] });
    const args = '--model-filter f --max-records 3 --no-successful-only f.log';
    expect(told({ config, env, args })).toEqual({
      modelFilter: 'f',
      maxRecords: 3,
      inputs: ['f.log'],
      successfulOnly: false,
    });
  });

  test('reads the log directory of the configuration', () => {
    expect(settings({ logs: 'var/log' }).inputs).toEqual(['var/log']);
  });

  test('lets a flag undo a switch of the environment, and ignores empty variables', () => {
    const env = { LLMPROXY_EXPORT_SUCCESSFUL_ONLY: 'Yes', LLMPROXY_EXPORT_FORCE: '' };
    const wanted = (given: Given) => settings(given).plan.selection.successfulOnly;
    expect([wanted({ env }), settings({ env }).sink.force]).toEqual([true, false]);
    expect(wanted({ env, args: '--no-successful-only' })).toBe(false);
    expect(wanted({ env, args: '--successful-only=false' })).toBe(false);
  });

  test('reads every flag from its environment variable', () => {
    const values: Partial<Record<OptionName, string>> = {
      output: 'x/',
      format: 'trl',
      endpoint: 'chat',
      compress: 'zst',
      status: '2xx',
      tag: 'a=b',
      since: '2026-01-01',
      until: '2026-01-02',
      'start-date': '2026-01-01',
      'end-date': '2026-01-02',
      'max-latency': '2s',
      'min-score': '0.5',
      conversations: 'turns',
      branches: 'longest',
      'unlogged-turns': 'drop',
      'split-by': 'prompt',
      dedup: 'none',
      'near-dup': '0.8',
      pairs: 'feedback',
      feedback: 'none',
      sample: '10%',
      reasoning: 'inline',
      refusals: 'content',
      images: 'drop',
      'provider-tools': 'keep',
      'tool-args': 'string',
      system: 'drop',
      redact: 'email',
      'redact-pattern': 'a=b',
      'price-per-mtok': '2',
      progress: 'never',
    };
    // These need another flag, or a file; the configuration is read before; the check and the stages are separate
    // commands.
    const others: OptionName[] = [
      ...(['config', 'check', 'verify', 'time-zone', 'shard-size', 'split', 'metadata'] as const),
      ...(['balance', 'per-group', 'on-long', 'redact-mode', 'redact-salt-file'] as const),
      ...(['stage', 'plan', 'range', 'partition', 'range-size', 'partitions', 'exchange'] as const),
    ];
    const before = JSON.stringify(settings({}));
    for (const name of OPTION_NAMES) {
      const { kind, hint } = OPTIONS[name];
      const value = values[name] ?? (kind.form === 'switch' ? 'true' : hint === 'n' ? '5' : 'x');
      const given = { env: { [variableOf(name)]: value } };
      if (others.includes(name)) expect(environmentOptions(given.env).values[name]).toBeDefined();
      else expect([name, JSON.stringify(settings(given)) === before]).toEqual([name, false]);
    }
  });

  test('requires flags that belong together', () => {
    const refused: [string, string][] = [
      ['--balance model', 'Cannot balance rows: --balance FIELD and --per-group N go together'],
      ['--split train=0.9,test=0.1 -o a.jsonl', 'it makes several files: give --output a directory'],
      ['--split train=0.9,test=0.2 -o a/', 'expected shares that add up to 1: train=0.9,validation=0.1'],
      ['--shard-size 1MB', 'it makes several files'],
      ['--parquet --export-all', 'Cannot write Parquet: rows of raw are no table'],
      ['--export-all --min-score 0', 'Cannot use --min-score here: whole records are written as they were'],
      ['-f raw --near-dup 0.8', 'Cannot use --near-dup here: whole records'],
      ['-f openai --pairs both', 'Cannot use --pairs both: rows of openai are no pairs: use trl-dpo'],
      ['--export-all -f trl', 'Cannot use --export-all with --format trl: it writes whole records'],
      ['-f nope', 'Cannot use --format nope: expected openai, trl, '],
      ['-f openai --metadata min', 'rows of openai may hold nothing but what the format knows'],
      ['--redact-mode hash', 'nothing is to be hidden: give --redact'],
      ['--redact email --redact-mode hash', 'it needs a secret: --redact-salt-file FILE'],
      ['--redact emial', 'expected email, phone'],
      ['--redact-pattern x', 'Cannot use --redact-pattern x: expected NAME=REGEX'],
      ['--redact-pattern x=(', 'Cannot use --redact-pattern x=(: Invalid regular expression'],
      ['--system none.txt', 'Cannot use --system none.txt: no such file or directory'],
      ['--time-zone Mars --since today', 'Cannot use --time-zone Mars'],
      ['--reasoning loud', 'expected drop, keep, inline or field=NAME'],
      ['--sample 0', 'expected a number of rows, or a share such as 10%'],
      ['--max-latency fast', 'expected a time such as 2s or 500ms'],
      ['--status abc', 'Cannot use --status abc: expected 200, 2xx or 400-499'],
      ['--status 2x', 'Cannot use --status 2x: expected 200, 2xx or 400-499'],
      ['--status 200,20', 'Cannot use --status 20: expected 200, 2xx or 400-499'],
      ['--status 200-', 'Cannot use --status 200-: expected 200, 2xx or 400-499'],
      ['--verify', 'Cannot use --verify: nothing is written to files'],
      ['--tag team', 'Cannot use --tag team: expected NAME=VALUE'],
      ['--near-dup 0.4', 'Cannot use --near-dup 0.4: expected a number from 0.5 to 1 or none'],
      // Also if nothing uses them.
      ['--export-all --seed x', 'Cannot use --seed x: expected a whole number from 0'],
    ];
    for (const [args, words] of refused) expect(() => settings({ args })).toThrow(words);
  });

  test('treats days as complete days in UTC, and times as exact', () => {
    const span = ({ plan: { selection } }: ReturnType<typeof settings>) =>
      [selection.fromMs, selection.untilMs].map((ms) => new Date(ms!).toISOString());
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
      'Cannot use --start-date 2026-02-30: expected a day such as 2026-11-23, an ISO time, or a span such as 7d',
    ],
    [
      { args: '--start-date 2026-02-02 --end-date 2026-02-01' },
      'Cannot use --start-date 2026-02-02: it is after --end-date 2026-02-01',
    ],
    [
      { config: { start_date: '2026-03-01' }, args: '--end-date 2026-02-01' },
      'Cannot use export.start_date 2026-03-01: it is after --end-date 2026-02-01',
    ],
    [
      { args: '-f trl --reasoning field=content' },
      'Cannot use --reasoning field=content: messages have a field of that name already',
    ],
    [
      { args: '-f mistral --reasoning field=thinking' },
      'Cannot use --reasoning field=thinking: messages of mistral have no other field than their own: use inline',
    ],
    [{ args: '--on-long drop' }, 'Cannot use --on-long drop: no row is too long: give --max-tokens'],
    [{ args: '--endpoint chats' }, 'Cannot use --endpoint chats: expected chat, messages, '],
    [{ args: '--progress some' }, 'Cannot use --progress some: expected auto, always or never'],
  ] as [Given, string][])('rejects %j', (given, message) => {
    expect(() => settings(given)).toThrow(message);
  });
});

describe('the export section of the configuration', () => {
  /** Values of each option: valid ones, and invalid ones. */
  const VALUES: Partial<Record<OptionName, readonly [good: readonly string[], bad: readonly string[]]>> = {
    format: [
      ['trl', 'raw'],
      ['nope', 'TRL'],
    ],
    compress: [['gz'], ['zip']],
    'shard-size': [
      ['500MB', '1048576'],
      ['0', 'big', '-1'],
    ],
    split: [['train=0.9,test=0.1'], ['train=0.9', 'train', 'a=1,a=1']],
    'split-by': [['prompt'], ['user']],
    threads: [
      ['0', '8'],
      ['-1', '1.5', '2000', 'x'],
    ],
    tag: [['team=a'], ['team']],
    status: [
      ['200', '2xx,404', '400-499'],
      ['20', 'ok'],
    ],
    since: [
      ['2026-11-01', '7d', '2026-11-01T10:00:00Z', 'today'],
      ['2026-02-30', 'soon'],
    ],
    until: [['2026-11'], ['x']],
    'start-date': [['2026-11-01', '7d'], ['1.1.2026']],
    'end-date': [['2026-11-01'], ['2026-13-01']],
    'time-zone': [['Europe/Berlin'], ['Mars']],
    'min-tokens': [['0'], ['-1', '1.5']],
    'max-tokens': [['1'], ['0']],
    'max-latency': [
      ['2s', '500ms'],
      ['fast', '2'],
    ],
    'min-score': [
      ['-1', '0.5'],
      ['2', 'x'],
    ],
    conversations: [['turns'], ['last']],
    branches: [['longest'], ['short']],
    'unlogged-turns': [['keep'], ['no']],
    dedup: [['none'], ['some']],
    'near-dup': [
      ['0.8', '1', 'none'],
      ['0.4', '1.1', 'off'],
    ],
    pairs: [['feedback'], ['all']],
    feedback: [['none', 'use'], ['some']],
    sample: [
      ['1000', '10%'],
      ['0', '0%', '101%', 'x'],
    ],
    'per-group': [['1'], ['0']],
    last: [['1'], ['0']],
    'max-records': [['1'], ['0', '1.5']],
    seed: [['0'], ['-1', '1.5']],
    reasoning: [
      ['drop', 'inline', 'field=thinking'],
      ['loud', 'field='],
    ],
    refusals: [['keep'], ['drop']],
    images: [['url-only'], ['none']],
    'provider-tools': [['keep'], ['drop']],
    'tool-args': [['string'], ['text']],
    metadata: [['full'], ['all']],
    'on-long': [['drop'], ['cut']],
    'redact-mode': [['tag'], ['mask']],
    'price-per-mtok': [
      ['0', '2.5'],
      ['-1', 'x'],
    ],
    epochs: [
      ['0.5', '1000'],
      ['1001', 'x'],
    ],
    progress: [['never'], ['some']],
  };
  const PROVIDERS = [{ name: 'a', type: 'mock' as const }];
  const inConfig = (name: OptionName, value: unknown) =>
    schema.safeParse({ providers: PROVIDERS, export: { [configKeyOf(name)]: value } });
  const wrongOf = (run: () => unknown): string | undefined => {
    try {
      run();
      return undefined;
    } catch (error) {
      const { message } = error as Error;
      // Whether a value needs another flag is not tested here.
      return / expected /.test(message) ? message : undefined;
    }
  };

  test.each(Object.entries(VALUES))(
    'accepts for %s what the flag accepts, and nothing else',
    (key, [good, bad]) => {
      const name = key as OptionName;
      const asConfig = (text: string) =>
        OPTIONS[name].kind.range && text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;
      const refused = (text: string) => [
        wrongOf(() => settings({ args: `--${name}=${text}` })) !== undefined,
        wrongOf(() => settings({ env: { [variableOf(name)]: text } })) !== undefined,
        !inConfig(name, asConfig(text)).success,
      ];
      for (const text of good) expect([text, ...refused(text)]).toEqual([text, false, false, false]);
      for (const text of bad) expect([text, ...refused(text)]).toEqual([text, true, true, true]);
      for (const text of good) {
        const config = { [configKeyOf(name)]: asConfig(text) };
        const told = (given: Given) => wrongOf(() => settings(given)) ?? JSON.stringify(settled(given));
        expect(told({ config, logs: 'l' })).toBe(told({ env: { [variableOf(name)]: text }, logs: 'l' }));
      }
    },
  );

  function settled(given: Given): unknown {
    try {
      return settings(given);
    } catch (error) {
      return (error as Error).message.replace(/^Cannot use \S+/, '');
    }
  }

  test('has a key for every option except those that concern a single run', () => {
    const without = OPTION_NAMES.filter((name) => {
      const { kind } = OPTIONS[name];
      const [sample] = VALUES[name]?.[0] ?? ['text'];
      const value = kind.form === 'switch' ? true : kind.range ? Number(sample) : sample;
      return !inConfig(name, value).success;
    });
    expect(without).toEqual([
      'force',
      'manifest',
      'dry-run',
      'stats',
      'preview',
      'preview-html',
      'verify',
      'json',
      'check',
      'config',
      'stage',
      'plan',
      'range',
      'partition',
      'range-size',
      'partitions',
      'exchange',
    ]);
  });

  test('accepts lists as such or joined by commas, as the flag does', () => {
    const models = (config: object) => settings({ config }).plan.selection.models;
    expect(models({ model: 'gpt-{4o,5}*, o3' })).toEqual(['gpt-{4o,5}*', 'o3']);
    expect(models({ model: ['a', 'b,c'] })).toEqual(['a', 'b', 'c']);
    expect(inConfig('status', ['2xx', 'nope']).success).toBe(false);
    expect(settings({ config: { log_file: ['a.log', 'b.log'] } }).inputs).toEqual(['a.log', 'b.log']);
  });
});
