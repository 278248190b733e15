/** A copy of the project that may be broken: served from its source, with the packages of the original. */
import type { Mutation } from './mutation.ts';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dir, '../../..');

export interface Copy extends Disposable {
  /** The path of its `main.ts`. */
  readonly main: string;
  /** Breaks it. @throws Error unless the place is found exactly once: then the mutation must be rewritten */
  readonly apply: (mutation: Mutation) => void;
  /** Restores it. */
  readonly restore: () => void;
}

export function copyProject(): Copy {
  const folder = mkdtempSync(join(tmpdir(), 'llmproxy-mutant-'));
  for (const name of ['src', 'scripts', 'package.json', 'bun.lock', 'tsconfig.json', 'LICENSE'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const changed = new Map<string, string>();
  return {
    main: join(folder, 'src/main.ts'),
    apply({ name, edits }) {
      for (const { file, find, replace } of edits) {
        const path = join(folder, 'src', file);
        const text = readFileSync(path, 'utf8');
        if (!changed.has(path)) changed.set(path, text);
        const found = text.split(find).length - 1;
        if (found !== 1)
          throw new Error(`Cannot apply "${name}" to src/${file}: the place is there ${found} times`);
        writeFileSync(
          path,
          text.replace(find, () => replace),
        );
      }
    },
    restore() {
      for (const [path, text] of changed) writeFileSync(path, text);
      changed.clear();
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
