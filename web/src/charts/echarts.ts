// Only what the page draws with. Tooltips, legends and markers are React's, since those hold text that comes from data.
import { LineChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { init as begin, type EChartsType, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

use([LineChart, GridComponent, CanvasRenderer]);

/**
 * A chart in an element. Nothing of it moves by itself: after one frame in which nothing changed it asks for no more of them, where
 * it would go on for ten. With many charts that change once a second the page would never be still.
 */
export function init(element: HTMLElement): EChartsType {
  const chart = begin(element, null, { renderer: 'canvas' });
  chart.getZr().setSleepAfterStill(1);
  return chart;
}
