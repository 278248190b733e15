/** Signs a file with the user's own tool and key. */
import { existsSync } from 'node:fs';

interface Signing {
  /** The name of the signature's file. */
  readonly signature: (file: string) => string;
  /** @param key a file, or another reference that the tool accepts; `undefined` for the tool's default */
  readonly command: (file: string, key: string | undefined, comment: string) => readonly string[];
  /** Whether the tool can find a key by itself. */
  readonly keyOptional: boolean;
}

const TOOLS = {
  minisign: {
    signature: (file) => `${file}.minisig`,
    command: (file, key, comment) => [
      '-S',
      ...(key === undefined ? [] : ['-s', key]),
      '-t',
      comment,
      '-m',
      file,
    ],
    keyOptional: true,
  },
  // Without a key, cosign would sign with a person's e-mail address and publish that, so a key is required.
  cosign: {
    signature: (file) => `${file}.sigstore.json`,
    command: (file, key) => ['sign-blob', '--yes', '--key', key!, '--bundle', `${file}.sigstore.json`, file],
    keyOptional: false,
  },
} as const satisfies Record<string, Signing>;

/** Signs a file. @returns the file of the signature */
export type Signer = (file: string) => Promise<string>;

/**
 * Looks for the tool and the key before anything is built, since the files to sign take minutes to build.
 * @param tool the name that the user gave
 * @param key a file, or a name that the tool itself understands, such as cosign's `awskms://...`
 * @param comment the comment that minisign signs along with the file
 * @returns a function that signs a file and returns the file of the signature
 * @throws Error when the tool is unknown or not installed, or the key does not exist
 */
export function signer(tool: string, key: string | undefined, comment: string): Signer {
  if (!isTool(tool)) {
    throw new Error(`Cannot sign with ${tool}: expected ${Object.keys(TOOLS).join(' or ')}`);
  }
  const { command, signature, keyOptional }: Signing = TOOLS[tool];
  const program = Bun.which(tool);
  if (program === null) throw new Error(`Cannot sign with ${tool}: it is not installed, or not in PATH`);
  if (key === undefined && !keyOptional) {
    throw new Error(`Cannot sign with ${tool}: name the key, as in SIGN_KEY=${tool}.key`);
  }
  if (key !== undefined && !/^[a-z0-9]+:\/\//.test(key) && !existsSync(key)) {
    throw new Error(`Cannot sign with ${tool}: there is no key file ${key}`);
  }
  return async (file) => {
    // The tool may ask for the key's password.
    const options = { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' } as const;
    const code = await Bun.spawn([program, ...command(file, key, comment)], options).exited;
    if (code !== 0) throw new Error(`Cannot sign ${file}: ${tool} ended with ${code}`);
    if (!existsSync(signature(file)))
      throw new Error(`Cannot sign ${file}: ${tool} wrote no ${signature(file)}`);
    return signature(file);
  };
}

function isTool(tool: string): tool is keyof typeof TOOLS {
  return Object.hasOwn(TOOLS, tool);
}
