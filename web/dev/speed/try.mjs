import { watchBoard } from './hour.mjs';
import { startLive } from './server.mjs';

const live = await startLive(process.env.TILLWATCH_BIN);
try {
  const r = await watchBoard(live.url, Number(process.argv[2]), (row) => console.log(JSON.stringify(row)));
  console.log(r.faults, r.version);
} finally {
  await live.close();
}
