/** Rows as a self-contained page that marks what is trained. */
import type { JsonObject } from '../../wire/json.ts';
import type { Format } from '../render/format.ts';
import type { Report } from '../report/report.ts';
import { safeText } from '../report/safe-text.ts';
import { thingsText } from '../report/text.ts';
import { toolNames, turnsOfRow } from './turns.ts';

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --trained: #2a9d4a; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
article { border-top: 1px solid var(--line); padding: 1rem 0; }
section { border-left: 4px solid var(--line); padding: 0 0 0 .8rem; margin: .6rem 0; }
section.trained { border-color: var(--trained); }
section > b { font-size: .8rem; opacity: .7; }
section.trained > b { color: var(--trained); opacity: 1; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .2rem 0; font: inherit; }
`;

/** A page without external resources: no scripts, fonts or images. */
export function previewPage(
  rows: readonly JsonObject[],
  loss: Format['loss'] | undefined,
  { kept, format }: Pick<Report, 'kept' | 'format'>,
): string {
  const articles = rows.map((row, index) => {
    const tools = toolNames(row);
    const defined = tools.length > 0 ? `<p>Tools: ${escaped(tools.join(', '))}</p>` : '';
    const turns = turnsOfRow(row, loss).map(
      ({ role, text, trained }) =>
        `<section${trained ? ' class="trained"' : ''}><b>${escaped(role)}${trained ? ', trained' : ''}</b><pre>${escaped(text)}</pre></section>`,
    );
    return `<article><h2>Row ${index + 1}</h2>${defined}${turns.join('')}</article>`;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Rows as ${escaped(format)}</title>
<style>${STYLE}</style>
<h1>Rows as ${escaped(format)}</h1>
<p>The first ${thingsText(rows.length, 'row')} of ${kept}. What the model is trained to say is marked green.</p>
${articles.join('\n')}
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return safeText(text).replaceAll(/[&<>"]/g, (sign) => ENTITIES[sign]!);
}
