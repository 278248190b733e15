/** The declarations that `plugin init` writes fit the examples and describe the API as it is in the code. */
import { afterAll, expect, test } from 'bun:test';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { declarations } from '../../scripts/declarations.ts';
import { pluginTypes } from '../../scripts/plugin-kit.ts';
import { compilerOptions } from '../../src/cli/plugin/kit.ts';

const ROOT = join(import.meta.dir, '../..');
const folder = mkdtempSync(join(tmpdir(), 'llmproxy-types-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the type checker prints for these files, with the declarations as their module 'llmproxy'. */
function checked(files: Readonly<Record<string, string>>, more: object = {}): string {
  const at = mkdtempSync(join(folder, 'check-'));
  for (const [path, text] of Object.entries(pluginTypes())) {
    mkdirSync(dirname(join(at, 'kit', path)), { recursive: true });
    writeFileSync(join(at, 'kit', path), text);
  }
  for (const [path, text] of Object.entries(files)) writeFileSync(join(at, path), text);
  const options = { ...compilerOptions('./kit'), types: [], ...more };
  writeFileSync(
    join(at, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, files: Object.keys(files) }),
  );
  symlinkSync(join(ROOT, 'node_modules'), join(at, 'node_modules'));
  const command = [process.execPath, 'check', '--no-script', '--no-pretty', '--all', '-p', at];
  return Bun.spawnSync(command, { cwd: at }).stdout.toString();
}

test('the examples pass the type checker with the declarations, which need nothing else', async () => {
  const names = readdirSync(join(ROOT, 'examples')).filter((name) => name.endsWith('.ts'));
  expect(names.length).toBeGreaterThanOrEqual(4);
  const texts = await Promise.all(
    names.map(async (name) => [name, await Bun.file(join(ROOT, 'examples', name)).text()] as const),
  );
  const strict = { skipLibCheck: false, exactOptionalPropertyTypes: true, types: ['bun-types'] };
  expect(checked(Object.fromEntries(texts), { ...strict, skipLibCheck: true })).toBe('');
  const plugins = texts.filter(([name]) => !name.includes('.test.'));
  // Without the types of Bun and Node, and with the declarations checked as well.
  expect(
    checked(Object.fromEntries(plugins), { skipLibCheck: false, noPropertyAccessFromIndexSignature: false }),
  ).toBe('');
});

test('the code in docs/plugins.md passes the type checker with the declarations', async () => {
  const page = await Bun.file(join(ROOT, 'docs/plugins.md')).text();
  const blocks = [...page.matchAll(/^```ts\n([^]*?)^```/gm)].map(([, code = '']) => code);
  expect(blocks.length).toBe(4);
  const named = blocks.map((code, index) => {
    const name = code.includes("type = 'shout'") ? 'shout.ts' : `block-${index}.ts`;
    return [name, code] as const;
  });
  expect(checked(Object.fromEntries(named), { types: ['bun-types'] })).toBe('');
});

test('mistakes in a plugin are type errors', () => {
  const wrong = `import { answer, BaseProvider, type Call, type Plugin } from 'llmproxy';
export class Odd extends BaseProvider<{ size: number }> {
  static readonly type = 'odd';
  override async send(call: Call) { return answer(call, () => [this.options.size]); }
  override protocol() { return 'morse' as const; }
}
export default { onRequset() {} } satisfies Plugin;
`;
  const found = checked({ 'odd.ts': wrong });
  expect(found.match(/^odd\.ts\(\d+/gm)).toEqual(['odd.ts(4', 'odd.ts(5', 'odd.ts(7']);
});

test('the declarations have the same types as the code', () => {
  const { exported } = declarations(join(ROOT, 'src/plugins/llmproxy.ts'));
  expect(exported).toEqual(
    expect.arrayContaining(['BaseProvider', 'HttpProvider', 'ProxyError', 'answer', 'Plugin']),
  );
  const at = mkdtempSync(join(folder, 'same-'));
  cpSync(join(ROOT, 'src'), join(at, 'src'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(at, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(at, 'node_modules'));
  symlinkSync(join(ROOT, 'scripts'), join(at, 'scripts'));
  for (const [path, text] of Object.entries(pluginTypes())) {
    // The same zod on both sides: copies of a class with private members are incompatible.
    if (path.startsWith('zod/')) continue;
    mkdirSync(join(at, 'kit'), { recursive: true });
    writeFileSync(
      join(at, 'kit', path),
      text.replace(/^import \* as z from .*$/m, "import { z } from 'zod';"),
    );
  }
  const types = [
    'AnswerPiece',
    'Piece',
    'Endpoint',
    'Fault',
    'HookAnswer',
    'HookContext',
    'HookRequest',
    'Unsigned',
  ];
  const both = [
    'Called',
    'ChatMessage',
    'ChatRequest',
    'ChatTool',
    'ContentPart',
    'HeaderFields',
    'ToolCall',
  ];
  expect(exported).toEqual(expect.arrayContaining([...types, ...both, 'RequestRecord', 'Services']));
  const same = [...types, ...both].map(
    (name) => `export const ${name}: Same<Real.${name}, Shown.${name}> = true;`,
  );
  const lines = [
    "import type * as Real from './src/plugins/llmproxy.ts';",
    "import type * as Shown from './kit/llmproxy';",
    'type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;',
    ...same,
    // The declarations of these omit internal members.
    'export const record = (given: Real.RequestRecord): Shown.RequestRecord => given;',
    'export const services = (given: Real.Services<1>): Shown.Services<1> => given as never;',
    'export const call = (given: Real.Call): Shown.Call => given;',
    'export const error: new (...given: ConstructorParameters<typeof Shown.ProxyError>) => Shown.ProxyError = null as never as typeof Real.ProxyError;',
    'export const answer: (call: Real.Call, say: Shown.Speaker) => Shown.UpstreamReply = null as never as typeof Real.answer;',
    'type Public<A> = { [name in keyof A as A[name] extends never ? never : name]: A[name] };',
    'type Methods = keyof Public<Shown.BaseProvider>;',
    'export const base: Methods extends keyof Real.BaseProvider ? true : never = true;',
    'export const http: keyof Public<Shown.HttpProvider> extends keyof Real.HttpProvider ? true : never = true;',
  ];
  writeFileSync(join(at, 'same.ts'), lines.join('\n'));
  const options = {
    ...compilerOptions('./kit'),
    types: ['bun-types'],
    lib: ['ESNext'],
    resolveJsonModule: true,
    paths: {},
  };
  writeFileSync(join(at, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['same.ts'] }));
  const command = [process.execPath, 'check', '--no-script', '--no-pretty', '--all', '-p', at];
  expect(Bun.spawnSync(command, { cwd: at }).stdout.toString()).toBe('');
});
