/** The thread that reads the log for the page. It is an entry point of its own in the compiled binary. */
import type { Answers, FromThread, Job, ToThread } from './jobs.ts';
import { detailOf } from './detail.ts';
import { logInputs } from './inputs.ts';
import { preview } from './preview.ts';
import { requests } from './requests.ts';
import { rawBody, requestById } from './by-id.ts';
import { SeriesReader } from './series.ts';
import { isLeft, searchFor } from './time-limit.ts';

declare const self: Worker;

const series = new SeriesReader();

/** One after another, in order of arrival. */
let last: Promise<void> = Promise.resolve();

self.addEventListener('message', ({ data }: MessageEvent<ToThread>) => {
  last = last.then(() => answer(data));
});

async function answer({ number, job, left }: ToThread): Promise<void> {
  searchFor(left);
  try {
    if (isLeft()) throw new Error('the result is no longer needed');
    const answered = await work(job);
    reply({ number, answer: answered }, answered instanceof Uint8Array ? [answered.buffer] : []);
  } catch (error) {
    reply({ number, failed: error instanceof Error ? error.message : String(error) }, []);
  }
}

async function work(job: Job): Promise<Answers[keyof Answers]> {
  const inputs = await logInputs(job.directory);
  switch (job.kind) {
    case 'requests':
      return await requests(inputs, job);
    case 'detail': {
      const found = await requestById(inputs, job.id);
      return found && detailOf(found.record, found.feedback);
    }
    case 'raw':
      return rawBody(await requestById(inputs, job.id), job.part);
    case 'series':
      return await series.read(inputs, job, Date.now());
    case 'preview':
      return await preview(inputs, job);
  }
}

function reply(message: FromThread, handed: ArrayBuffer[]): void {
  self.postMessage(message, handed);
}
