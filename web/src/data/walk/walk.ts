import type { Saved } from '../../definitions/calls';
import { Store } from '../../live/store';
import { sendPart } from '../calls';
import { delimiters, type Look } from '../csv/look';
import { CsvUpload, uploadStore } from '../csv/upload';
import { type Proposal, propose, sampleOf, streamIn } from './propose';

export const steps = ['file', 'fields', 'definition', 'upload', 'board'] as const;
export type Step = (typeof steps)[number];

/** How far somebody has come from a file to a board. */
export interface Walk {
  step: Exclude<Step, 'file'>;
  file: File;
  look: Look;
  sample: Uint8Array<ArrayBuffer>;
  proposal: Proposal;
  /** The stream that the events go to. */
  stream: string;
  yaml: string;
  /** Whether somebody has changed the text by hand. */
  isEdited: boolean;
  /** The file of the folder that the definitions go to. */
  target: string;
  saved: Saved | null;
  /** The events go to a stream that was there before; nothing is defined. */
  isExisting: boolean;
}

/** The walk of this tab: it stays while somebody looks at another page. Null while no file is chosen. */
export const walkStore = new Store<Walk | null>(null);

export function change(patch: Partial<Walk>): void {
  const walk = walkStore.get();
  if (walk) walkStore.set({ ...walk, ...patch });
}

/** What a file is to be called in the folder that has others already. */
export function targetFor(stream: string, taken: ReadonlySet<string>): string {
  let name = `${stream}.yaml`;
  for (let n = 2; taken.has(name); n += 1) name = `${stream}_${n}.yaml`;
  return name;
}

function isAll(file: Blob, sample: Uint8Array): boolean {
  return file.size <= sample.length;
}

/** Begins with a file: the server looks at its beginning. */
export async function begin(file: File, look: Look, taken: ReadonlySet<string>): Promise<void> {
  const sample = await sampleOf(file, look.form, delimiters[look.found ?? 'comma']);
  const proposal = await propose(sample, look.form, file.name, null, isAll(file, sample));
  walkStore.set({
    step: 'fields',
    file,
    look,
    sample,
    proposal,
    stream: proposal.stream,
    yaml: proposal.yaml,
    isEdited: false,
    target: targetFor(proposal.stream, taken),
    saved: null,
    isExisting: false,
  });
}

/** Proposes once more under another name. What was changed by hand is gone. */
export async function rename(stream: string, taken: ReadonlySet<string>): Promise<void> {
  const walk = walkStore.get();
  if (!walk) return;
  const proposal = await propose(
    walk.sample,
    walk.look.form,
    walk.file.name,
    stream,
    isAll(walk.file, walk.sample),
  );
  const isOwn = walk.target === targetFor(walk.stream, taken);
  change({
    proposal,
    stream: proposal.stream,
    yaml: proposal.yaml,
    isEdited: false,
    ...(isOwn || walk.saved === null ? { target: targetFor(proposal.stream, taken) } : {}),
  });
}

export function edit(yaml: string): void {
  const walk = walkStore.get();
  if (!walk || yaml === walk.yaml) return;
  const isEdited = yaml !== walk.proposal.yaml;
  change({ yaml, isEdited, stream: streamIn(yaml) ?? walk.stream });
}

/** Sends the file's events to the stream. */
export function send(): void {
  const walk = walkStore.get();
  if (!walk) return;
  const upload = new CsvUpload({
    file: walk.file,
    stream: walk.stream,
    form: walk.look.form,
    reading: { delimiter: 'auto', header: 'auto' },
    found: walk.look.found,
    send: sendPart,
  });
  uploadStore.set(upload);
  change({ step: 'upload' });
  void upload.run();
}

/** Begins from the start. */
export function leave(): void {
  walkStore.set(null);
  uploadStore.set(null);
}
