import { pageTexts } from '../i18n/page';

const en = {
  'mark.until': 'until {{time}}',
  'mark.more': 'More about it',
  'mark.remove': 'Remove',
  'mark.sure': 'Remove for everybody?',
  'mark.close': 'Close',
  'around.title': 'Noted around it',
  'around.before': '{{time}} before it began',
  'around.after': '{{time}} after it began',
  'around.add': 'Note something',
  'form.title': 'Note on all charts',
  'form.text':
    'A deployment, a change, a campaign: whatever may be why figures move. Everybody sees it on charts and beside incidents.',
  'form.kind': 'What it is',
  'form.name': 'In one line',
  'form.name.hint': 'such as “checkout 4.12.0”',
  'form.at': 'When it began',
  'form.until': 'When it ended (may be empty)',
  'form.zone': 'Times of {{zone}}',
  'form.more': 'More (may be empty)',
  'form.url': 'Address of more (may be empty)',
  'form.by': 'Your name (may be empty)',
  'form.save': 'Note it',
  'form.cancel': 'Cancel',
  'form.noTime': 'This is no time.',
  'form.before': 'It cannot end before it began.',
} as const;
export type AnnotationText = keyof typeof en;

const zh: Record<AnnotationText, string> = {
  'mark.until': '至 {{time}}',
  'mark.more': '详细信息',
  'mark.remove': '删除',
  'mark.sure': '为所有人删除？',
  'mark.close': '关闭',
  'around.title': '前后的标注',
  'around.before': '开始前 {{time}}',
  'around.after': '开始后 {{time}}',
  'around.add': '添加标注',
  'form.title': '在所有图表上标注',
  'form.text': '部署、变更、营销活动：任何可能使指标变化的事情。所有人都会在图表上和异常事件旁看到。',
  'form.kind': '类型',
  'form.name': '一句话说明',
  'form.name.hint': '例如“checkout 4.12.0”',
  'form.at': '开始时间',
  'form.until': '结束时间（可留空）',
  'form.zone': '时间按 {{zone}}',
  'form.more': '详细说明（可留空）',
  'form.url': '链接（可留空）',
  'form.by': '您的姓名（可留空）',
  'form.save': '标注',
  'form.cancel': '取消',
  'form.noTime': '这不是有效时间。',
  'form.before': '结束时间不能早于开始时间。',
};

/** What is said of annotations where one is opened or written. */
export const annotationTexts = pageTexts<AnnotationText>('annotations', { en, zh });
