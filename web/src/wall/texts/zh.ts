import type { WallText } from './en';

/** 简体中文 */
export const zh: Record<WallText, string> = {
  title: '大屏',
  at: '第 {{at}} 页，共 {{count}} 页',
  paused: '已暂停',
  pause: '暂停',
  go: '继续',
  previous: '上一页',
  next: '下一页',
  full: '全屏',
  leave: '离开',
  age: '最新事件在 {{duration}}前',
  'age.none': '还没有事件',
  'age.unknown': '数据时间未知',
  'none.title': '这里没有可显示的内容',
  'none.text': '这些看板都不存在：{{names}}',
  'none.boards': '全部看板',
  crashed: '此屏幕出现问题',
  'crashed.again': '{{seconds}} 秒后重新加载。',
};
