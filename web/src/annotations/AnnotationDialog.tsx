import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { postJson } from '../api/client';
import { Dialog } from '../board/edit/Dialog';
import { zoneOffset } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { storeAuthor, storedAuthor } from '../incidents/author';
import { serverNow } from '../live/clock';
import { instantOf, offsetMs } from '../monitors/localTime';
import { annotationTexts } from './detailTexts';
import { ANNOTATIONS_KEY } from './query';
import { kindTexts } from './texts';
import { type Annotation, type AnnotationKind, annotationKinds, type NewAnnotation } from './types';
import './annotations.css';

/** A form for what everybody shall see on charts. */
export function AnnotationDialog({ onClose }: { onClose: () => void }) {
  const { zone, t } = useSpeech();
  const say = annotationTexts.use();
  const kindName = kindTexts.use();
  const queries = useQueryClient();
  const [kind, setKind] = useState<AnnotationKind>('deployment');
  const [title, setTitle] = useState('');
  const [at, setAt] = useState(() => shownIn(zone, serverNow(Date.now())));
  const [until, setUntil] = useState('');
  const [text, setText] = useState('');
  const [url, setUrl] = useState('');
  const [by, setBy] = useState(storedAuthor);
  const saving = useMutation({
    mutationFn: (annotation: NewAnnotation) => postJson<Annotation>('/v1/annotations', annotation),
    onSuccess: () => {
      storeAuthor(by);
      void queries.invalidateQueries({ queryKey: [ANNOTATIONS_KEY] });
      onClose();
    },
  });
  const atMs = instantOf(at, zone);
  const untilMs = until === '' ? null : instantOf(until, zone);
  const wrong =
    atMs === null || (until !== '' && untilMs === null)
      ? say('form.noTime')
      : untilMs !== null && untilMs < atMs
        ? say('form.before')
        : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (wrong !== null || atMs === null || title.trim() === '') return;
    saving.mutate({
      kind,
      title: title.trim(),
      at: new Date(atMs).toISOString(),
      ...(untilMs === null ? {} : { until: new Date(untilMs).toISOString() }),
      ...(text.trim() === '' ? {} : { text: text.trim() }),
      ...(url.trim() === '' ? {} : { url: url.trim() }),
      ...(by.trim() === '' ? {} : { by: by.trim() }),
    });
  };
  return (
    <Dialog title={say('form.title')} testId="annotation-dialog" onClose={onClose}>
      <p className="dim">{say('form.text')}</p>
      <form className="note-form" onSubmit={submit}>
        <label>
          {say('form.name')}
          <input
            value={title}
            maxLength={200}
            required
            placeholder={say('form.name.hint')}
            onChange={({ target }) => setTitle(target.value)}
          />
        </label>
        <label>
          {say('form.kind')}
          <select value={kind} onChange={({ target }) => setKind(target.value as AnnotationKind)}>
            {annotationKinds.map((one) => (
              <option key={one} value={one}>
                {kindName(`kind.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <div className="note-times">
          <label>
            {say('form.at')}
            <input type="datetime-local" value={at} required onChange={({ target }) => setAt(target.value)} />
          </label>
          <label>
            {say('form.until')}
            <input type="datetime-local" value={until} onChange={({ target }) => setUntil(target.value)} />
          </label>
        </div>
        <p className="dim">
          {say('form.zone', { zone: `${zone} (${zoneOffset(zone, atMs ?? Date.now())})` })}
        </p>
        <label>
          {say('form.more')}
          <textarea rows={2} maxLength={2000} value={text} onChange={({ target }) => setText(target.value)} />
        </label>
        <label>
          {say('form.url')}
          <input
            type="url"
            value={url}
            pattern="https?://.+"
            placeholder="https://"
            onChange={({ target }) => setUrl(target.value)}
          />
        </label>
        <label>
          {say('form.by')}
          <input value={by} maxLength={200} onChange={({ target }) => setBy(target.value)} />
        </label>
        {(wrong ?? saving.error) && (
          <p role="alert" className="note-refused">
            {wrong ?? saving.error?.message}
          </p>
        )}
        <div className="button-row">
          <button type="submit" className="button button-main" disabled={saving.isPending || wrong !== null}>
            {saving.isPending ? t('state.loading') : say('form.save')}
          </button>
          <button type="button" className="button" onClick={onClose}>
            {say('form.cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** An instant as a field for local times takes it, by the clocks of a zone, to the minute. */
function shownIn(zone: string, atMs: number): string {
  return new Date(atMs + offsetMs(zone, atMs)).toISOString().slice(0, 16);
}
