/** The files of the page, embedded in the binary. When run from source they are bundled on first use. */
import { basename } from 'node:path';
import page from '../../web/index.html';

export interface Asset {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same, compressed on first use. */
  readonly gzip: () => Uint8Array<ArrayBuffer>;
}

export interface Assets {
  /** The document, with `{{base}}` as a placeholder for the path of the proxy. */
  readonly html: string;
  /** The other files, by name. */
  readonly files: ReadonlyMap<string, Asset>;
}

let loaded: Promise<Assets> | undefined;

export function loadAssets(): Promise<Assets> {
  loaded ??= load();
  return loaded;
}

/** References to files within the document, which the bundler writes relative to the root or to the document. */
const ADDRESS = /((?:src|href)=")(?:\.?\/)?([\w.-]+\.(?:js|css|svg)")/g;

async function load(): Promise<Assets> {
  const files = new Map<string, Asset>();
  let html = '';
  for (const { name, type, bytes } of page.files ? await embedded(page.files) : await bundled(page.index)) {
    if (type.startsWith('text/html')) html = new TextDecoder().decode(bytes);
    else files.set(name, { type, bytes, gzip: once(() => Bun.gzipSync(bytes)) });
  }
  return { html: html.replace(ADDRESS, '$1{{base}}/page/files/$2'), files };
}

interface File extends Omit<Asset, 'gzip'> {
  readonly name: string;
}

async function embedded(files: NonNullable<typeof page.files>): Promise<File[]> {
  return await Promise.all(
    files.map(async ({ path, headers }) => ({
      name: basename(path),
      type: headers['content-type'],
      bytes: await Bun.file(path).bytes(),
    })),
  );
}

async function bundled(index: string): Promise<File[]> {
  const { outputs } = await Bun.build({ entrypoints: [index], minify: true });
  return await Promise.all(
    outputs.map(async (output) => ({
      name: basename(output.path),
      type: output.type,
      bytes: new Uint8Array(await output.arrayBuffer()),
    })),
  );
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
