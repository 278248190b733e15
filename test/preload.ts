/** Loaded before each test file, so that tests depend on nothing in the environment that they run in. */
import { isForeign } from './helpers/environment.ts';

for (const name of Object.keys(process.env)) if (isForeign(name)) delete process.env[name];

// Times are shown in the time zone of the process.
process.env.TZ = 'UTC';
// Tests compare the permissions of files with those of the usual umask.
process.umask(0o022);
