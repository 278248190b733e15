import { loadAssets } from './assets.ts';
import { SAFE_HEADERS } from './guard.ts';

const HEADERS = { ...SAFE_HEADERS, 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' };

/** The document of the page. @param shown whether the page is enabled; otherwise the document says how to enable it */
export async function documentFor(base: string, shown: boolean): Promise<Response> {
  if (!shown) return new Response(OFF, { status: 403, headers: HEADERS });
  const { html } = await loadAssets();
  return new Response(html.replaceAll('{{base}}', base), { headers: HEADERS });
}

const OFF = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>llmproxy</title>
<h1>llmproxy is running</h1>
<p>Its page is off: it shows what people wrote, this proxy requires no key, and others can reach it.</p>
<p>Add keys (<code>auth.keys</code>), or write <code>server.page: on</code> into the configuration if everybody may read it.</p>
</html>
`;
