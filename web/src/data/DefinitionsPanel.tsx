import { Link } from '@tanstack/react-router';
import type { View } from './DataPage';
import { readDefinitionFault } from './definitionFault';
import { Panel, ToneBadge } from './parts';
import { writeDataSearch } from './search';

/** Which definitions are in force, and what is wrong with those that are not. */
export function DefinitionsPanel({ snapshot, say }: View) {
  const { t } = say;
  const { loaded_at, errors } = snapshot.status.definitions;
  const faults = errors.map(readDefinitionFault);
  const isRefused = faults.some(({ place }) => place !== null);
  const tone = isRefused ? 'bad' : faults.length > 0 ? 'warning' : 'good';
  return (
    <Panel
      title={t('definitions.title')}
      testId="definitions"
      aside={<ToneBadge tone={tone}>{t(`tone.${tone}`)}</ToneBadge>}
    >
      {loaded_at !== null && (
        <p className="dim data-small">{t('definitions.loaded', { time: say.exact(loaded_at) })}</p>
      )}
      <p className="data-small">
        {isRefused
          ? t('definitions.refused')
          : t(faults.length > 0 ? 'definitions.notes' : 'definitions.good')}
      </p>
      {faults.length > 0 && (
        <ul className="data-definition-faults">
          {faults.map(({ place, message, suggestion }, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the list comes whole, in the order of the files
            <li key={i} data-testid="definition-fault">
              {place && (
                <p className="data-place">
                  <code>{place.file}</code>{' '}
                  <span className="dim">
                    {t('definitions.place', { line: place.line, column: place.column })}
                  </span>
                </p>
              )}
              <p>{message}</p>
              {suggestion !== null && <p className="data-suggestion">{suggestion}</p>}
            </li>
          ))}
        </ul>
      )}
      <p>
        <Link to="/data" search={writeDataSearch({ tab: 'definitions' })} className="button">
          {t('definitions.files')}
        </Link>
      </p>
    </Panel>
  );
}
