import { pageTexts } from '../i18n/page';

/** What filters say, in every language. */
export const filterTexts = pageTexts('filter', {
  en: {
    label: 'Filters',
    add: 'Filter',
    edit: 'Filter by {{dimension}}',
    remove: 'Remove the filter by {{dimension}}',
    dimension: 'Filter by',
    choose: 'Choose…',
    search: 'Search or type a value',
    values: 'Values',
    use: 'Use “{{value}}”',
    failed: 'The values could not be loaded. You can type one.',
    nothing: 'No such value in this time',
    more: 'The {{count}} heaviest values are listed; type any other.',
  },
  zh: {
    label: '筛选',
    add: '筛选',
    edit: '按{{dimension}}筛选',
    remove: '移除{{dimension}}筛选',
    dimension: '筛选维度',
    choose: '请选择…',
    search: '搜索或输入值',
    values: '取值',
    use: '使用 “{{value}}”',
    failed: '取值加载失败，可以直接输入。',
    nothing: '这段时间内没有这个值',
    more: '仅列出占比最大的 {{count}} 个值，其他值请直接输入。',
  },
});
