import { pageTexts } from '../i18n/page';
import { en, type IncidentText } from './texts/en';
import { zh } from './texts/zh';

export type { IncidentText };

/** What the pages of incidents say. */
export const incidentTexts = pageTexts<IncidentText>('incidents', { en, zh });
