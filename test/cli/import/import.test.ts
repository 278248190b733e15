import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { YAML } from 'bun';
import { converted, detectedFormat } from '../../../src/cli/import/convert.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { built, cleared, folder, run } from '../../helpers/binary.ts';
import { expectGolden } from '../../helpers/golden.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const FILES = join(import.meta.dir, 'files');
const EXPECTED = join(import.meta.dir, 'expected');
const NAMES = readdirSync(FILES);

const textOf = (name: string) => readFileSync(join(FILES, name), 'utf8');

/** The result for the environment variables of the file, or for others. */
function imported(name: string, value: unknown = YAML.parse(textOf(name))): string {
  return converted(
    { text: JSON.stringify(value), value, file: name },
    detectedFormat(YAML.parse(textOf(name)))!,
  ).text;
}

/** Every object within a value. */
function objectsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : [value as Record<string, unknown>];
  return [...own, ...Object.values(value).flatMap(objectsIn)];
}

describe.each(NAMES)('%s', (name) => {
  test('is imported as expected, valid and without its secrets', () => {
    const cwd = folder();
    copyFileSync(join(FILES, name), join(cwd, name));
    const { code, out, err } = run(cwd, 'config', 'import', name);
    expect(code).toBe(0);
    // With another extension, since the formatter would change YAML files.
    expectGolden(join(EXPECTED, `${name.replace(/\.\w+$/, '')}.txt`), out);
    const { config, problems } = loadConfig({ path: 'config.yaml', text: out, env: {} });
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(config).toBeDefined();
    for (const secret of textOf(name).match(/[\w-]*secret-[\w-]*/g) ?? [])
      expect(`${out}${err}`).not.toContain(secret);
  });

  test('reports every setting that it does not convert', () => {
    const count = objectsIn(YAML.parse(textOf(name))).length;
    const lost: number[] = [];
    // An unknown vendor, or a section without a counterpart, is reported as a whole.
    const before = imported(name);
    for (let index = 0; index < count; index += 1) {
      const value: unknown = YAML.parse(textOf(name));
      objectsIn(value)[index]!.unheard_of = 7;
      const text = imported(name, value);
      if (!text.includes('unheard_of') && !isReportedWhole(objectsIn(value)[index]!, value, before))
        lost.push(index);
    }
    expect(lost).toEqual([]);
  });
});

/** Whether a comment names the object's path, or a path that contains it. */
function isReportedWhole(object: object, root: unknown, text: string): boolean {
  const path = pathTo(object, root) ?? '';
  const told = [...text.matchAll(/^# - (\S+?)[:,]?(?: \(.*?\))?(?:, \d+ times)?:? /gm)].map(
    ([, each]) => each!,
  );
  const left = /sagemaker|elevenlabs/.test(JSON.stringify(object) + path) && text.includes('is left out');
  return (
    left || told.some((each) => path === each || path.startsWith(`${each}.`) || path.startsWith(`${each}[]`))
  );
}

/** Such as "model_list[].litellm_params". */
function pathTo(object: object, root: unknown, path = ''): string | undefined {
  if (root === object) return path;
  if (typeof root !== 'object' || root === null) return undefined;
  for (const [key, value] of Object.entries(root)) {
    const found = pathTo(
      object,
      value,
      Array.isArray(root) ? `${path}[]` : path === '' ? key : `${path}.${key}`,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

test('a variable in the file stays a variable, with a fallback that keeps the file valid', () => {
  const model_list = [
    {
      model_name: 'a',
      litellm_params: { model: 'openai/x', api_base: 'https://${HOST}/v1', api_key: 'os.environ/K' },
    },
    {
      model_name: 'b $${x',
      litellm_params: { model: 'azure/x', api_base: 'os.environ/BASE', api_version: 'v' },
    },
  ];
  const { text } = converted({ text: '', value: { model_list }, file: 'x' }, 'litellm');
  expect(text).toContain('base_url: https://${HOST:-unset}/v1');
  expect(text).toContain('base_url: ${BASE:-https://base.invalid}');
  expect(text).toContain('api_key_env: K');
  expect(loadConfig({ path: 'x', text, env: {} }).config).toBeDefined();
});

test('texts in the file can only become comments and values', () => {
  const name = 'x\nauth: none #';
  const model_list = [
    { model_name: name, litellm_params: { model: 'nobody/x' } },
    { model_name: name, litellm_params: { model: `openai/${name}`, api_key: 'k' } },
  ];
  const { text } = converted({ text: '', value: { model_list, [name]: 1 }, file: 'x' }, 'litellm');
  const { config } = loadConfig({ path: 'x', text, env: {} });
  expect(config!.auth).toBeUndefined();
  expect(Object.keys(config!.models)).toEqual([name]);
});

test('invalid values, and everything that depends on them, are left out and reported', () => {
  const model_list = [
    { model_name: 'a', litellm_params: { model: 'bedrock/a', aws_region_name: 'no region!' } },
    {
      model_name: 'b',
      litellm_params: { model: 'openai/b', weight: 0 },
      model_info: { max_input_tokens: -1 },
    },
    null,
    { model_name: 'b', litellm_params: { model: 'groq/b' } },
  ];
  const { text } = converted(
    { text: '', value: { model_list, general_settings: { port: 1e6 } }, file: 'x' },
    'litellm',
  );
  const { config, problems } = loadConfig({ path: 'x', text, env: { AWS_REGION: 'us-east-1' } });
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(config!.models.b).toMatchObject({ strategy: 'weighted' });
  for (const told of ['server.port: not valid here', 'region', 'context_window', 'weight', 'model_list[]: '])
    expect(text).toMatch(new RegExp(`^# .*${told.replaceAll(/[[\]]/g, String.raw`\$&`)}`, 'm'));
});

test('a key in an unexpected place is not written', () => {
  const key = 'sk-proj-abcdefghij1234567890ABCDEFGHIJ';
  const model_list = [
    { model_name: key, litellm_params: { model: 'openai/x', api_key: 'a-short-secret' } },
    { model_name: 'b', litellm_params: { model: `nobody/${key}`, note: 'x' } },
    { model_name: 'c', litellm_params: { model: 'openai/a-short-secret', extra_headers: { 'X-Team': key } } },
  ];
  const { text } = converted({ text: '', value: { model_list }, file: 'x' }, 'litellm');
  expect(text).not.toContain(key);
  expect(text).not.toContain('a-short-secret');
});

test('fallbacks that refer to each other do not cause an endless loop', () => {
  const row = (model_name: string) => ({ model_name, litellm_params: { model: `openai/${model_name}-x` } });
  const value = {
    model_list: [row('a'), row('b')],
    router_settings: { fallbacks: [{ a: ['b'] }, { b: ['a'] }] },
  };
  const { text } = converted({ text: '', value, file: 'x' }, 'litellm');
  const { config } = loadConfig({ path: 'x', text, env: {} });
  expect(config!.models).toMatchObject({ a: ['openai/a-x', 'openai/b-x'], b: ['openai/b-x', 'openai/a-x'] });
});

test.each([
  [{ model_list: [] }, 'litellm'],
  [{ general_settings: {} }, 'litellm'],
  [{ providers: { openai: { keys: [] } } }, 'bifrost'],
  [{ llm: { models: [] } }, 'agentgateway'],
  [{ binds: [] }, 'agentgateway'],
  [{ providers: [{ name: 'a', type: 'openai' }] }, 'python'],
  [{ services: {} }, undefined],
])('%j is detected', (value, format) => {
  expect(detectedFormat(value)).toBe(format as never);
});

test('--output writes the file atomically, and does not overwrite an existing one', () => {
  const cwd = folder();
  copyFileSync(join(FILES, 'litellm.yaml'), join(cwd, 'l.yaml'));
  const first = run(cwd, 'config', 'import', 'l.yaml', '--output', 'c.yaml');
  expect([first.code, first.out]).toEqual([0, '']);
  expect(first.err).toContain('providers from LiteLLM into c.yaml.\n');
  expect(run(cwd, 'config', 'validate', 'c.yaml').out).toContain('c.yaml is valid');
  expect(run(cwd, 'config', 'import', 'l.yaml', '--output', 'c.yaml').err).toContain(
    'it exists, use --force',
  );
  writeFileSync(join(cwd, 'bad.yaml'), 'a: [\n');
  expect(run(cwd, 'config', 'import', 'bad.yaml').err).toContain(
    'bad.yaml:1:4 error: this bracket is never closed',
  );
  writeFileSync(join(cwd, 'other.yaml'), 'services: {}\n');
  expect(run(cwd, 'config', 'import', 'other.yaml').err).toContain('it looks like none of litellm');
  expect(run(cwd, 'config', 'import', 'other.yaml', '--from', 'litelm').err).toContain(
    'did you mean litellm?',
  );
});
