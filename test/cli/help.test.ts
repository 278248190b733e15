import { afterAll, beforeAll, expect, test } from 'bun:test';
import { built, cleared, folder, run, runInTerminal } from '../helpers/binary.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const COMMANDS = [
  'serve',
  'health',
  'config',
  'keys',
  'providers',
  'explain',
  'logs',
  'usage',
  'export',
  'licenses',
];
const KEYS = ['create', 'list', 'show', 'rotate', 'revoke', 'disable', 'enable', 'raise'];
const ALL = [
  '',
  ...COMMANDS,
  'config validate',
  'config schema',
  'config init',
  ...KEYS.map((name) => `keys ${name}`),
];

test.each(ALL)('llmproxy %s --help keeps within 80 columns and names --env-file', (command) => {
  const { code, out } = run(folder(), ...command.split(' ').filter(Boolean), '--help');
  expect(code).toBe(0);
  const lines = out.split('\n');
  expect(lines.filter((line) => line.length > 80 || line.endsWith(' '))).toEqual([]);
  expect(out).toContain(`Usage: llmproxy ${command}`.trimEnd());
  expect(out).toContain('--env-file FILE');
});

test('help names the commands, the arguments and the values of flags', () => {
  const help = (...args: string[]) => run(folder(), ...args, '--help').out;
  for (const name of COMMANDS) expect(help()).toMatch(new RegExp(`^ {2}${name} +[A-Z]`, 'm'));
  expect(help('serve')).toStartWith(
    'Serve the APIs of OpenAI, Anthropic, Gemini and Ollama in front of the\nconfigured providers.\n',
  );
  expect(help('serve')).toMatch(/^ {6}--log-dir DIR +Directory/m);
  expect(help('health')).toMatch(/^ {6}--json +Print/m);
  expect(help('providers')).toContain('Usage: llmproxy providers [FLAGS] [TYPE]\n');
  expect(help('config', 'init')).toMatch(/^ {2}FILE +File to write \(default: config.yaml\)$/m);
});

test('help is the same in a terminal, whatever its width', async () => {
  expect(await runInTerminal(200, 'serve', '--help')).toBe(run(folder(), 'serve', '--help').out);
});
