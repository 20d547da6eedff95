import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
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

export const router = createRouter({
  routeTree: rootRoute.addChildren([homeRoute, boardRoute]),
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
