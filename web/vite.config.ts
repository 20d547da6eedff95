import react from '@vitejs/plugin-react';
import type { HtmlTagDescriptor, Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** In development the API is answered by a running server; the mock listens on the same default port. */
const apiOrigin = process.env.TILLWATCH_URL ?? 'http://127.0.0.1:7878';

/** Lets the browser fetch the charts' code with the page, though it runs only after the first figures are shown. */
function preloadCharts(): Plugin {
  return {
    name: 'preload-charts',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle }) {
        const files = Object.values(bundle ?? {}).filter((file) => file.type === 'chunk');
        const chart = files.find(({ name }) => name === 'TimeSeriesChart');
        const needed = chart ? [chart.fileName, ...chart.imports] : [];
        const links = needed.filter((file) => !html.includes(file));
        return links.map(
          (file): HtmlTagDescriptor => ({
            tag: 'link',
            attrs: { rel: 'modulepreload', crossorigin: true, href: `/${file}` },
            injectTo: 'head',
          }),
        );
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), preloadCharts()],
  server: { proxy: { '/v1': apiOrigin } },
  build: {
    target: 'es2022',
    // Inlined `data:` assets would need a wider CSP and hide their size from the budget.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        // What every page begins with is two files, libraries and our own: thirty small ones cost a slow processor more than
        // the little that one page would do without.
        codeSplitting: {
          groups: [
            { name: 'libraries', tags: ['$initial'], test: /node_modules/, priority: 2 },
            { name: 'first', tags: ['$initial'], priority: 1 },
          ],
        },
      },
    },
  },
  test: {
    environment: 'node',
    include: ['src/**/*.test.{ts,tsx}'],
    restoreMocks: true,
  },
});
