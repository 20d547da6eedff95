import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useSyncExternalStore } from 'react';
import type { Identity } from '../api/access';
import { boardsQuery } from '../api/queries';
import { zoneName, zoneOffset } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { chooseLanguage, type Language, languageNames, languages } from '../i18n/index';
import { chooseTheme, chooseZone, type ThemeChoice, themeStore, zoneStore } from '../state/preferences';
import { AccountButton } from './AccountButton';
import { BoardNav } from './BoardNav';
import { HealthBadge } from './HealthBadge';
import { ClockIcon, GlobeIcon, Logo, SearchIcon, ThemeIcon } from './icons';
import { isApple, showOverlay } from './shortcuts';

const pages = [
  { to: '/explore', key: 'nav.explore' },
  { to: '/incidents', key: 'nav.incidents' },
  { to: '/monitors', key: 'nav.monitors' },
  { to: '/sql', key: 'nav.sql' },
  { to: '/data', key: 'nav.data' },
] as const;

/** The bar above every page: where one is, whether it is live, and how it is shown. */
export function Header({ isGranted, identity }: { isGranted: boolean; identity: Identity | undefined }) {
  const { t } = useSpeech();
  const boards = useQuery({ ...boardsQuery, enabled: isGranted });
  return (
    <header className="header">
      <Link to="/" className="brand">
        <Logo />
        <span>Tillwatch</span>
      </Link>
      <nav className="nav" aria-label={t('nav.label')}>
        {isGranted && boards.data && <BoardNav boards={boards.data} />}
        {isGranted &&
          pages.map(({ to, key }) => (
            <Link
              key={to}
              to={to}
              className="nav-link"
              activeOptions={{ includeSearch: false, exact: false }}
            >
              {t(key)}
            </Link>
          ))}
      </nav>
      {isGranted && <HealthBadge />}
      <div className="settings">
        {isGranted && <SearchButton />}
        <ZoneSelect />
        <LanguageSelect />
        <ThemeButton />
        {identity?.required && <AccountButton identity={identity} />}
      </div>
    </header>
  );
}

/** The way to everything by its name; its keys are told where there is room for them. */
function SearchButton() {
  const { t } = useSpeech();
  return (
    <button
      type="button"
      className="setting setting-button nav-search"
      data-testid="open-palette"
      aria-label={t('nav.search')}
      aria-haspopup="dialog"
      aria-keyshortcuts={isApple ? 'Meta+K' : 'Control+K'}
      title={t('nav.search')}
      onClick={() => showOverlay('palette')}
    >
      <SearchIcon />
      <kbd>{isApple ? '⌘K' : 'Ctrl K'}</kbd>
    </button>
  );
}

function ZoneSelect() {
  const { t } = useSpeech();
  const choice = useSyncExternalStore(zoneStore.subscribe, zoneStore.get);
  const local = zoneName('local');
  const offset = zoneOffset(local, Date.now());
  return (
    <label className="setting" title={t('zone.label')}>
      <ClockIcon />
      <span className="visually-hidden">{t('zone.label')}</span>
      <select value={choice} onChange={(event) => chooseZone(event.target.value === 'utc' ? 'utc' : 'local')}>
        <option value="local">{offset === local ? local : `${local} (${offset})`}</option>
        {local !== 'UTC' && <option value="utc">{t('zone.utc')}</option>}
      </select>
    </label>
  );
}

function LanguageSelect() {
  const { t, language } = useSpeech();
  return (
    <label className="setting" title={t('language.label')}>
      <GlobeIcon />
      <span className="visually-hidden">{t('language.label')}</span>
      <select
        value={language}
        data-testid="language"
        onChange={(event) => void chooseLanguage(event.target.value as Language)}
      >
        {languages.map((one) => (
          <option key={one} value={one} lang={one === 'zh' ? 'zh-CN' : 'en'}>
            {languageNames[one]}
          </option>
        ))}
      </select>
    </label>
  );
}

const nextTheme: Record<ThemeChoice, ThemeChoice> = { system: 'light', light: 'dark', dark: 'system' };

function ThemeButton() {
  const { t } = useSpeech();
  const theme = useSyncExternalStore(themeStore.subscribe, themeStore.get);
  const label = `${t('theme.label')}: ${t(`theme.${theme}`)}`;
  return (
    <button
      type="button"
      className="setting setting-button"
      data-testid="theme"
      aria-label={label}
      title={label}
      onClick={() => chooseTheme(nextTheme[theme])}
    >
      <ThemeIcon theme={theme} />
    </button>
  );
}
