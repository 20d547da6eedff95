import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

/** In development the API is answered by a running server; the mock listens on the same default port. */
const apiOrigin = process.env.TILLWATCH_URL ?? 'http://127.0.0.1:7878';

export default defineConfig({
  plugins: [react()],
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
