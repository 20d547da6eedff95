import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useRouterState } from '@tanstack/react-router';
import { useMemo } from 'react';
import { boardsQuery, DEFINITIONS_KEY, metricsQuery } from '../api/queries';
import type { Board } from '../api/types';
import { sliceText } from '../board/slice';
import { tabs } from '../data/search';
import { metricNote } from '../explore/names';
import { useSpeech } from '../i18n/hooks';
import { chooseLanguage, languageNames, languages } from '../i18n/index';
import { inWords } from '../i18n/titles';
import { olderQuery } from '../incidents/queries';
import { monitorsQuery } from '../monitors/queries';
import { showOverlay } from '../shell/shortcuts';
import { useMay } from '../shell/useMay';
import { chooseTheme, chooseZone } from '../state/preferences';
import { ranges } from '../state/range';
import type { Entry } from './rank';
import { type PaletteText, paletteTexts } from './texts';

/** All that can be gone to or done, of what is known by now. */
export function useEntries(): { entries: Entry[]; isLoading: boolean } {
  const speech = useSpeech();
  const t = paletteTexts.use();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const boards = useQuery(boardsQuery);
  const metrics = useQuery(metricsQuery);
  const monitors = useQuery(monitorsQuery);
  const incidents = useQuery(olderQuery);
  const maySave = useMay('operate');
  const entries = useMemo((): Entry[] => {
    const titles = metricTitles(queries.getQueriesData<Board>({ queryKey: [DEFINITIONS_KEY, 'board'] }));
    const titleOf = (metric: string) => speech.metric(metric, titles.get(metric));
    const current = /^\/boards\/([^/]+)/.exec(path)?.[1];
    const name = current === undefined ? undefined : decodeURIComponent(current);
    // Each is found by the words of the other language too: who reads Chinese may well type `dark`.
    const said = (key: PaletteText) => `${paletteTexts.texts.en[key]} ${paletteTexts.texts.zh[key]}`;
    const action = (id: PaletteText, run: () => void, title = t(id), words = ''): Entry => ({
      id: `action:${id}:${title}`,
      kind: 'action',
      title,
      words: `${said(id)} ${words}`,
      run,
    });
    const page = (key: PaletteText, run: () => void, words = ''): Entry => ({
      id: `page:${key}`,
      kind: 'page',
      title: t(key),
      words: `${said(key)} ${words}`,
      run,
    });
    const withRange = (range: (typeof ranges)[number]) => {
      if (name !== undefined || path === '/explore')
        return void navigate({ to: '.', search: (old: object) => ({ ...old, range }) });
      return void navigate({ to: '/', search: { range } });
    };
    return [
      ...(boards.data ?? []).map((board) => ({
        id: `board:${board.name}`,
        kind: 'board' as const,
        title: speech.text(board.title, board.name),
        note: board.name,
        words: `${board.title.en} ${board.title.zh ?? ''}`,
        run: () => void navigate({ to: '/boards/$name', params: { name: board.name } }),
      })),
      ...(incidents.data ?? []).map((incident) => ({
        id: `incident:${incident.id}`,
        kind: 'incident' as const,
        title: `${titleOf(incident.metric)} · ${sliceText(incident.slice, speech)}`,
        note: `${speech.t(`incidentState.${incident.state}`)} · ${incident.id}`,
        words: [
          incident.id,
          incident.monitor,
          incident.metric,
          incident.owner ?? '',
          incident.summary,
          ...Object.entries(incident.slice).flat(),
        ].join(' '),
        run: () => void navigate({ to: '/incidents/$id', params: { id: incident.id } }),
      })),
      ...[...(metrics.data?.values() ?? [])].map((metric) => ({
        id: `metric:${metric.name}`,
        kind: 'metric' as const,
        title: titleOf(metric.name),
        note: metric.name,
        words: `${metricNote(metric)} ${metric.of} ${metric.dimensions.join(' ')}`,
        run: () => void navigate({ to: '/explore', search: { metric: metric.name } }),
      })),
      ...(monitors.data ?? []).map((monitor) => ({
        id: `monitor:${monitor.name}`,
        kind: 'monitor' as const,
        title: inWords(monitor.name),
        note: monitor.name,
        words: `${monitor.metric} ${monitor.by.join(' ')} ${monitor.description ?? ''}`,
        run: () => void navigate({ to: '/monitors/$name', params: { name: monitor.name } }),
      })),
      page('page.incidents', () => void navigate({ to: '/incidents' })),
      page('page.explore', () => void navigate({ to: '/explore' })),
      page('page.monitors', () => void navigate({ to: '/monitors' })),
      page('page.maintenance', () => void navigate({ to: '/maintenance' })),
      page('page.sql', () => void navigate({ to: '/sql' })),
      page('page.boards', () => void navigate({ to: '/boards' })),
      ...tabs.map((tab) =>
        page(
          `page.data.${tab}`,
          () => void navigate({ to: '/data', search: tab === 'streams' ? {} : { tab } }),
        ),
      ),
      ...(name === undefined
        ? []
        : [
            ...(maySave
              ? [
                  action(
                    'act.editBoard',
                    () => void navigate({ to: '/boards/$name/edit', params: { name } }),
                  ),
                  action('act.copyBoard', () => void navigate({ to: '/new-board', search: { from: name } })),
                ]
              : []),
            action('act.wall', () => void navigate({ to: '/wall', search: { boards: name } })),
          ]),
      action('act.wallAll', () => void navigate({ to: '/wall', search: {} })),
      ...(maySave
        ? [
            action('act.annotate', () => showOverlay('annotate')),
            action('act.newBoard', () => void navigate({ to: '/new-board', search: {} })),
            action('act.importBoard', () => void navigate({ to: '/new-board', search: { import: 'on' } })),
          ]
        : []),
      action('act.newMonitor', () => void navigate({ to: '/monitors/new', search: {} })),
      ...(['light', 'dark', 'system'] as const).map((theme) =>
        action(`act.theme.${theme}`, () => chooseTheme(theme)),
      ),
      ...languages.map((language) =>
        action(
          'act.language',
          () => void chooseLanguage(language),
          `${t('act.language')}: ${languageNames[language]}`,
          language === 'zh' ? 'chinese' : '英文',
        ),
      ),
      ...(['local', 'utc'] as const).map((zone) => action(`act.zone.${zone}`, () => chooseZone(zone))),
      ...ranges.map((range) =>
        action(
          'act.range',
          () => withRange(range),
          `${t('act.range')}: ${speech.t(`range.last.${range}`)}`,
          range,
        ),
      ),
      action('act.keys', () => showOverlay('help')),
    ];
  }, [speech, t, navigate, queries, path, boards.data, metrics.data, monitors.data, incidents.data, maySave]);
  const isLoading = [boards, metrics, monitors, incidents].some((query) => query.isLoading);
  return { entries, isLoading };
}

/** What the boards that have been looked at call their metrics; others are not asked for only to name them. */
function metricTitles(known: [unknown, Board | undefined][]): Map<string, Board['title']> {
  const titles = new Map<string, Board['title']>();
  for (const [, board] of known) {
    if (!board) continue;
    const whole = board.tiles.filter(({ where }) => Object.keys(where ?? {}).length === 0);
    for (const { metric, title } of [...whole, ...board.charts])
      if (!titles.has(metric)) titles.set(metric, title);
  }
  return titles;
}
