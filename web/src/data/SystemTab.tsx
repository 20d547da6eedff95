import { CheckList } from './CheckList';
import type { View } from './DataPage';
import { type Column, DataTable } from './DataTable';
import { DefinitionsPanel } from './DefinitionsPanel';
import type { ChannelDocument } from './documents';
import { BackupPanel, MaintainPanel } from './KeepPanels';
import { Facts, Panel } from './parts';
import { VerifyPanel } from './VerifyPanel';

/** Whether the server is well, and what can be done to make sure of it. */
export function SystemTab(view: View) {
  return (
    <div className="data-stack">
      <div className="data-columns">
        <div className="data-stack">
          <CheckList {...view} />
          <VerifyPanel {...view} />
          <MaintainPanel {...view} />
        </div>
        <div className="data-stack">
          <ServerPanel {...view} />
          <DefinitionsPanel {...view} />
          <AuditPanel {...view} />
          <BackupPanel {...view} />
        </div>
      </div>
      <ChannelTable {...view} />
    </div>
  );
}

function ServerPanel({ snapshot, say, nowMs }: View) {
  const { t } = say;
  const { version, started_at, live_clients, journal } = snapshot.status;
  return (
    <Panel title={t('server.title')} testId="server">
      <Facts
        facts={[
          [t('server.version'), version],
          [t('server.started'), say.exact(started_at)],
          [t('server.uptime'), say.span(Math.max(0, nowMs - Date.parse(started_at)))],
          [t('server.live'), say.count(live_clients)],
          journal.instance === null
            ? null
            : [t('server.instance'), <code key="instance">{journal.instance}</code>],
        ]}
      />
    </Panel>
  );
}

function AuditPanel({ snapshot, say, nowMs }: View) {
  const { t } = say;
  const { audit } = snapshot.status;
  return (
    <Panel title={t('audit.title')} testId="audit">
      <p className="dim data-small">{t('audit.text')}</p>
      {audit.last_difference !== null && <p className="data-fault">{audit.last_difference}</p>}
      {audit.fault !== null && <p className="data-fault">{audit.fault}</p>}
      <Facts
        facts={[
          [
            t('audit.last'),
            audit.last_at === null ? t('never') : say.ago(audit.last_at, nowMs),
            say.exact(audit.last_at),
          ],
          [t('audit.figures'), say.count(audit.figures)],
          [t('audit.buckets'), say.count(audit.buckets)],
          [t('audit.events'), say.count(audit.events)],
          [t('audit.differences'), say.count(audit.differences)],
          audit.unsure > 0 ? [t('audit.unsure'), say.count(audit.unsure)] : null,
          audit.skipped > 0 ? [t('audit.skipped'), say.count(audit.skipped)] : null,
        ]}
      />
    </Panel>
  );
}

function ChannelTable({ snapshot, say, nowMs }: View) {
  const { t } = say;
  const { channels } = snapshot.status;
  const columns: Column<ChannelDocument>[] = [
    {
      id: 'name',
      head: t('channels.column.name'),
      isName: true,
      cell: ({ name, kind, error }) => (
        <>
          <span className="ellipsis">{name}</span>
          <small>{kind}</small>
          {error !== null && <small className="data-fault">{error}</small>}
        </>
      ),
    },
    {
      id: 'pending',
      head: t('channels.column.pending'),
      isNumber: true,
      cell: ({ pending }) => say.count(pending),
    },
    {
      id: 'delivered',
      head: t('channels.column.delivered'),
      isNumber: true,
      cell: ({ last_delivered_at: at }) => (
        <span title={say.exact(at)}>{at === null ? t('never') : say.ago(at, nowMs)}</span>
      ),
    },
    {
      id: 'failed',
      head: t('channels.column.failed'),
      isNumber: true,
      cell: ({ last_failed_at: at }) => (
        <span title={say.exact(at)}>{at === null ? t('never') : say.ago(at, nowMs)}</span>
      ),
    },
  ];
  return (
    <Panel title={t('channels.title')} testId="channels">
      {channels.length === 0 ? (
        <p className="data-empty">{t('channels.empty')}</p>
      ) : (
        <DataTable
          label={t('channels.title')}
          columns={columns}
          rows={channels}
          rowKey={({ name }) => name}
        />
      )}
    </Panel>
  );
}
