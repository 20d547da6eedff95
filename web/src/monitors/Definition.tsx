import type { ReactNode } from 'react';
import { useSpeech } from '../i18n/hooks';
import { settingsOf } from './detectors';
import { draftOf } from './draft';
import { briefDuration } from './duration';
import { SeverityTag } from './MonitorBadge';
import { Split } from './MonitorRow';
import { Place } from './Place';
import { detectorOf, settingOf } from './state';
import { useTexts } from './texts';
import type { Monitor } from './types';

/** A monitor's definition, as far as the server tells it, with what its settings mean. */
export function Definition({ monitor }: { monitor: Monitor }) {
  const t = useTexts();
  const { dimension } = useSpeech();
  const detector = detectorOf(monitor);
  const written = draftOf(monitor);
  const more: [label: string, value: ReactNode][] = [];
  for (const key of ['direction', 'for', 'resolve_after', 'impact', 'owner', 'calendar'] as const) {
    const value = monitor[key];
    if (value)
      more.push([t(`field.${key}`), key === 'direction' ? t(`direction.${monitor.direction ?? ''}`) : value]);
  }
  if (monitor.early === false) more.push([t('field.early'), t('early.false')]);
  const isWhole = monitor.early !== undefined;
  return (
    <section className="panel definition" aria-labelledby="definition-title" data-testid="definition">
      <h2 id="definition-title">{t('monitor.definition')}</h2>
      {monitor.description && <p>{monitor.description}</p>}
      <dl>
        <Fact label={t('field.metric')}>
          <code>{monitor.metric}</code>
        </Fact>
        <Fact label={t('field.by')}>
          {monitor.by.length > 0 ? monitor.by.map(dimension).join(', ') : <Split by={[]} />}
        </Fact>
        <Fact label={t('field.detect')}>
          {t(`detect.${detector}.title`)}
          <small>{detector === 'auto' ? t('detect.auto.any') : t(`detect.${detector}.text`)}</small>
        </Fact>
        {settingsOf[detector].map(({ key, kind }) => {
          const value = settingOf(monitor, key);
          if (value === '' || (key === 'window' && written.over)) return null;
          return (
            <Fact key={key} label={t(`setting.${key}`)}>
              {kind === 'sensitivity' && (value === 'low' || value === 'normal' || value === 'high')
                ? t(`sensitivity.${value}`)
                : briefDuration(value)}
              {written.settings[key] === undefined && <small>{t('monitor.unlessTold')}</small>}
            </Fact>
          );
        })}
        {written.over && <Fact label={t('field.over')}>{written.over}</Fact>}
        <Fact label={t('field.severity')}>
          <SeverityTag severity={monitor.severity} />
        </Fact>
        {more.map(([label, value]) => (
          <Fact key={label} label={label}>
            {value}
          </Fact>
        ))}
        <Fact label={t('field.notify')}>{monitor.notify.length > 0 ? monitor.notify.join(', ') : '–'}</Fact>
      </dl>
      {!isWhole && <p className="dim">{t('monitor.untold')}</p>}
      <Place name={monitor.name} />
    </section>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
