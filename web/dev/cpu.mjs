// CPU seconds that the board's processes use per second, against the mock:   node dev/cpu.mjs [seconds]
import { launch } from './browser.mjs';
import { startMock } from './mock-server.mjs';

const seconds = Number(process.argv[2] ?? 20);
const mock = await startMock(0);
const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1440, height: 1200 } });
const session = await browser.newBrowserCDPSession();
const cpu = async () => {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const of = (type) =>
    processInfo.filter((one) => one.type === type).reduce((sum, one) => sum + one.cpuTime, 0);
  return { renderer: of('renderer'), gpu: of('GPU'), browser: of('browser') };
};
const opened = await cpu();
await page.goto(`${mock.url}/boards/payments`, { timeout: 120_000 });
await page.waitForSelector('[data-testid=health][data-health=live]', { timeout: 120_000 });
await page.waitForSelector('.chart canvas', { timeout: 120_000 });
const loaded = await cpu();
await page.waitForTimeout(seconds * 1_000);
const end = await cpu();
for (const part of ['renderer', 'gpu', 'browser']) {
  const load = loaded[part] - opened[part];
  const share = ((end[part] - loaded[part]) / seconds) * 100;
  console.log(`${part.padEnd(9)} load ${load.toFixed(2)} s, then ${share.toFixed(1)} % of a core`);
}
await browser.close();
await mock.close();
