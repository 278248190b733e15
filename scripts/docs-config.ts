/** Writes what is generated from the configuration's schema; `--check` only says what is stale. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commentedConfig, reference } from '../src/config/document.ts';
import { configJsonSchema } from '../src/config/json-schema.ts';

const root = join(import.meta.dir, '..');

const intro = `# Configuration

One file, \`config.yaml\`. Made by \`scripts/docs-config.ts\` from \`src/config/schema.ts\`; do not edit it here.

- \`llmproxy config init\` writes a commented file, \`llmproxy config validate\` checks one, \`llmproxy config schema\`
  prints its JSON Schema. The first line of the file tells editors where the schema is.
- A duration is a number of seconds, or \`"500ms"\`, \`"30s"\`, \`"5m"\`, \`"1h"\`. A size is a number of bytes, or \`"64KiB"\`, \`"32MiB"\`.
- \`\${VAR}\` and \`\${VAR:-default}\` in a value are replaced from the environment; \`$\${\` stands for a literal \`\${\`. A variable
  that is not set and has no default is an error.
- An unknown key is an error. A provider whose key is missing is a warning, and the provider starts disabled.
- A single \`timeout: 30s\` is the longest silence: before the first byte, before the first content, and between two chunks.

`;

const files: Record<string, string> = {
  'docs/config.md': intro + reference(),
  'docs/config.schema.json': `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
  'config.yaml': commentedConfig('./docs/config.schema.json'),
};

const stale = Object.entries(files).filter(([path, text]) => {
  try {
    return readFileSync(join(root, path), 'utf8') !== text;
  } catch {
    return true;
  }
});

if (process.argv.includes('--check')) {
  for (const [path] of stale) process.stderr.write(`${path} is stale: run make docs\n`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else for (const [path, text] of stale) writeFileSync(join(root, path), text);
