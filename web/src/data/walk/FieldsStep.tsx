import type { View } from '../DataPage';
import { type Column, DataTable } from '../DataTable';
import { ToneBadge } from '../parts';
import { ExistsNote } from './ExistsNote';
import { type ProposedField, rolesOf } from './propose';
import { walkTexts } from './texts';
import { change, leave, type Walk } from './walk';

/** As many as tell what a field is like. */
const EXAMPLES_SHOWN = 3;

/** What the server has understood of the file. */
export function FieldsStep(view: View & { walk: Walk }) {
  const { walk, say } = view;
  const t = walkTexts.use();
  const { proposal, file } = walk;
  const columns: Column<ProposedField>[] = [
    {
      id: 'name',
      head: t('fields.name'),
      isName: true,
      cell: ({ name, from }) => (
        <>
          <code>{name}</code>
          {from && from !== name && <small className="dim">{t('fields.from', { column: from })}</small>}
        </>
      ),
    },
    {
      id: 'type',
      head: t('fields.type'),
      cell: ({ type, optional }) => (
        <>
          <code>{type}</code>
          {optional && <small className="dim"> {t('fields.optional')}</small>}
        </>
      ),
    },
    {
      id: 'role',
      head: t('fields.role'),
      cell: (field) => {
        const roles = rolesOf(field, proposal);
        if (roles.length === 0) return '–';
        return (
          <span className="walk-roles">
            {roles.map((role) => (
              <ToneBadge key={role} tone={role === 'id' || role === 'time' ? 'good' : 'quiet'}>
                {t(`role.${role}`)}
              </ToneBadge>
            ))}
          </span>
        );
      },
    },
    {
      id: 'examples',
      head: t('fields.examples'),
      cell: ({ examples = [] }) => (
        <span className="walk-examples">
          {examples.slice(0, EXAMPLES_SHOWN).map((one, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: examples may be alike and never move
            <code key={i}>{one === null ? '∅' : String(one)}</code>
          ))}
        </span>
      ),
    },
  ];
  const counts = { lines: say.count(proposal.lines), rejected: say.count(proposal.rejected) };
  return (
    <>
      <p className="data-file">
        <span className="data-strong ellipsis">{file.name}</span>
        <span className="dim data-figure">{say.bytes(file.size)}</span>
        <ToneBadge tone="quiet">{proposal.format}</ToneBadge>
      </p>
      <h3>{t('fields.title')}</h3>
      <p className={proposal.rejected > 0 ? 'data-warning data-small' : 'data-small'} data-testid="walk-seen">
        {t(proposal.rejected > 0 ? 'fields.seen.some' : 'fields.seen', counts)}{' '}
        {(!proposal.whole || file.size > walk.sample.length) && t('fields.part')}
      </p>
      {proposal.id === null && <p className="data-small dim">{t('id.none')}</p>}
      <ExistsNote {...view} />
      <DataTable
        label={t('fields.more', { count: proposal.fields.length })}
        columns={columns}
        rows={proposal.fields}
        rowKey={({ name }) => name}
        testId="walk-fields"
      />
      <Remarks title={say.t('receipt.first')} texts={proposal.rejections} />
      <Remarks title={t('fields.left')} texts={proposal.left_out} />
      <div className="data-actions">
        <button type="button" className="button" onClick={leave}>
          {t('back')}
        </button>
        <button
          type="button"
          className="button button-main"
          data-testid="walk-next"
          onClick={() => change({ step: 'definition' })}
        >
          {t('fields.next')}
        </button>
      </div>
    </>
  );
}

/** What the server says of lines and columns that do not fit, in its words. */
function Remarks({ title, texts }: { title: string; texts: readonly string[] }) {
  if (texts.length === 0) return null;
  return (
    <div className="data-rejections">
      <h3>{title}</h3>
      <ul className="walk-remarks">
        {texts.map((text, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: remarks may be alike and never move
          <li key={i}>{text}</li>
        ))}
      </ul>
    </div>
  );
}
