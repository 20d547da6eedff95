import { pageTexts } from '../i18n/page';

const en = {
  'kind.deployment': 'Deployment',
  'kind.change': 'Change',
  'kind.campaign': 'Campaign',
  'kind.outage': 'Outage elsewhere',
  'kind.note': 'Note',
} as const;
export type KindText = keyof typeof en;

const zh: Record<KindText, string> = {
  'kind.deployment': '部署',
  'kind.change': '变更',
  'kind.campaign': '营销活动',
  'kind.outage': '外部故障',
  'kind.note': '备注',
};

/** What kinds of annotations are called; all that charts say of them at first. */
export const kindTexts = pageTexts<KindText>('annotationKinds', { en, zh });
