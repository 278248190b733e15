/** The compiled binary with plugins, in its own folder. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Serving } from './binary.ts';
import { folder, serveFolder } from './binary.ts';

export interface PluggedIn extends Serving {
  /** Everything that it has written to stderr. */
  readonly said: () => string;
  readonly post: (path: string, body: unknown, init?: RequestInit) => Promise<Response>;
}

/** Writes files, and creates folders where needed. */
export function write(cwd: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
}

/** Serves a configuration in a folder with these files. */
export async function plugged(
  config: ConfigInput,
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<PluggedIn> {
  const cwd = folder();
  write(cwd, { ...files, 'config.yaml': JSON.stringify(config, null, 2) });
  const serving = await serveFolder(cwd, env);
  let said = '';
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of serving.process.stderr) said += decoder.decode(chunk, { stream: true });
  })();
  return {
    ...serving,
    said: () => said,
    post: (path, body, init = {}) =>
      fetch(serving.url + path, {
        method: 'POST',
        body: JSON.stringify(body),
        ...init,
        headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string>) },
      }),
  };
}

/** The text of an answer, whatever its API. */
export function textOf(answer: unknown): string {
  const { choices, content, output } = answer as {
    choices?: { message: { content: string } }[];
    content?: { type: string; text?: string }[];
    output?: { type: string; content?: { text: string }[] }[];
  };
  if (choices) return choices[0]!.message.content;
  if (content) return content.map(({ text = '' }) => text).join('');
  return (output ?? [])
    .flatMap((item) => item.content ?? [])
    .map(({ text }) => text)
    .join('');
}
