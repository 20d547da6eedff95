import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { BoardPage } from './pages/BoardPage';
import { CrashPage } from './pages/CrashPage';
import { HomePage } from './pages/HomePage';
import { NotFoundPage } from './pages/NotFoundPage';
import { Shell } from './shell/Shell';
import { readSearch } from './state/search';

const rootRoute = createRootRoute({
  component: Shell,
  notFoundComponent: NotFoundPage,
  errorComponent: CrashPage,
});

const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  validateSearch: readSearch,
  component: HomePage,
});

export const boardRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/boards/$name',
  validateSearch: readSearch,
  component: BoardPage,
});

/** What a page on demand keeps in its address is its own to read; here it is any text by its key. */
function readTexts(raw: Record<string, unknown>): Record<string, string> {
  const texts = Object.entries(raw).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(texts);
}

// Pages that are not the first one are loaded when somebody goes there.
export const boardsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/boards',
  validateSearch: readTexts,
  component: lazyRouteComponent(() => import('./board/list/BoardsPage'), 'BoardsPage'),
});

export const boardEditRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/boards/$name/edit',
  component: lazyRouteComponent(() => import('./board/edit/BoardEditPage'), 'BoardEditPage'),
});

// Not below `/boards/`, where a board may be called `new`.
export const newBoardRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/new-board',
  validateSearch: readTexts,
  component: lazyRouteComponent(() => import('./board/edit/NewBoardPage'), 'NewBoardPage'),
});

export const wallRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/wall',
  validateSearch: readTexts,
  component: lazyRouteComponent(() => import('./wall/WallPage'), 'WallPage'),
  errorComponent: lazyRouteComponent(() => import('./wall/WallPage'), 'WallCrash'),
});

export const exploreRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/explore',
  validateSearch: readTexts,
  component: lazyRouteComponent(() => import('./explore/ExplorePage'), 'ExplorePage'),
});

export const incidentsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/incidents',
  validateSearch: readTexts,
  component: lazyRouteComponent(() => import('./incidents/IncidentsPage'), 'IncidentsPage'),
});

export const incidentRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/incidents/$id',
  validateSearch: readTexts,
  component: lazyRouteComponent(() => import('./incidents/IncidentPage'), 'IncidentPage'),
});

export const monitorsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/monitors',
  validateSearch: readTexts,
  component: lazyRouteComponent(() => import('./monitors/MonitorsPage'), 'MonitorsPage'),
});

export const newMonitorRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/monitors/new',
  validateSearch: readTexts,
  component: lazyRouteComponent(() => import('./monitors/NewMonitorPage'), 'NewMonitorPage'),
});

// Not below `/monitors/`, where a monitor may be called so.
export const maintenanceRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/maintenance',
  validateSearch: readTexts,
  component: lazyRouteComponent(() => import('./calendars/CalendarPage'), 'CalendarPage'),
});

export const monitorRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/monitors/$name',
  validateSearch: readTexts,
  component: lazyRouteComponent(() => import('./monitors/MonitorPage'), 'MonitorPage'),
});

export const sqlRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sql',
  validateSearch: readTexts,
  component: lazyRouteComponent(() => import('./sql/SqlPage'), 'SqlPage'),
});

export const dataRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/data',
  validateSearch: readTexts,
  component: lazyRouteComponent(() => import('./data/DataPage'), 'DataPage'),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    homeRoute,
    boardRoute,
    boardsRoute,
    boardEditRoute,
    newBoardRoute,
    wallRoute,
    exploreRoute,
    incidentsRoute,
    incidentRoute,
    monitorsRoute,
    newMonitorRoute,
    maintenanceRoute,
    monitorRoute,
    sqlRoute,
    dataRoute,
  ]),
  // Plain `key=value` pairs instead of JSON: people read, shorten and send these addresses.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const text = new URLSearchParams(
      Object.entries(search).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    ).toString();
    return text ? `?${text}` : '';
  },
  defaultErrorComponent: CrashPage,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
