import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pluginKit } from '../../../scripts/plugin-kit.ts' with { type: 'macro' };

/** Embedded by the bundler, and loaded by these commands only. */
const KIT: Readonly<Record<string, string>> = pluginKit();

/** The modules that plugins import, in the form that editors and tests find. */
export const KIT_FOLDER = 'llmproxy';

/** Writes the declarations of 'llmproxy' to a directory, and its code for tests. */
export function writeKit(folder: string, { code }: { code: boolean }): void {
  for (const [path, text] of Object.entries(KIT)) {
    if (path.startsWith('examples/') || (!code && path.endsWith('.js'))) continue;
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

/** The text of an example. */
export function example(name: string): string {
  return KIT[`examples/${name}`]!;
}

/** The TypeScript settings for plugins. @param kit the directory of the declarations */
export function compilerOptions(kit: string): Readonly<Record<string, unknown>> {
  return {
    target: 'ESNext',
    lib: ['ESNext', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
    module: 'Preserve',
    moduleResolution: 'bundler',
    moduleDetection: 'force',
    strict: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    noEmit: true,
    paths: { llmproxy: [`${kit}/llmproxy`], 'llmproxy/testing': [`${kit}/testing`] },
  };
}
