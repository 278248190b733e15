import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pluginKit } from '../../../scripts/plugin-kit.ts' with { type: 'macro' };

/** Put in by the bundler, and loaded by these commands alone. */
const KIT: Readonly<Record<string, string>> = pluginKit();

/** What plugins import, as editors and tests find it. */
export const KIT_FOLDER = 'llmproxy';

/** Writes the declarations of 'llmproxy' into a folder, and for tests its code. */
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

/** How TypeScript reads plugins. @param kit the folder with the declarations */
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
