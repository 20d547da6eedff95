import type { Metric } from '../../../api/types';
import { MetricSearch } from '../../../explore/MetricSearch';
import { metricNote } from '../../../explore/names';
import { Popover } from '../../../filter/Popover';
import { useSpeech } from '../../../i18n/hooks';
import { FieldGroup } from '../Field';
import { boardTexts } from '../texts';
import '../../../explore/explore.css';

interface Props {
  control: string;
  label: string;
  metric: string;
  metrics: ReadonlyMap<string, Metric>;
  onChange: (metric: string) => void;
}

/** A metric, found by its words. */
export function MetricField({ control, label, metric, metrics, onChange }: Props) {
  const t = boardTexts.use();
  const speech = useSpeech();
  const known = metrics.get(metric);
  const shown = metric === '' ? t('metric.choose') : speech.metric(metric);
  return (
    <FieldGroup control={control} label={label} hint={known && metricNote(known)}>
      <Popover
        label={
          <>
            <span className={metric === '' ? 'be-metric-none' : 'ellipsis'}>{shown}</span>
            {known && <span className="be-metric-of">{known.of}</span>}
          </>
        }
        name={t('metric.change', { metric: shown })}
        className="be-metric"
        testId="board-metric"
      >
        {(close) => (
          <MetricSearch
            metrics={metrics}
            current={metric || null}
            onChoose={(name) => {
              onChange(name);
              close();
            }}
          />
        )}
      </Popover>
    </FieldGroup>
  );
}
