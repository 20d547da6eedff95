import { pageTexts } from '../../i18n/page';
import { type DefinitionKey, en } from './en';
import { zh } from './zh';

export type { DefinitionKey };
export const definitionTexts = pageTexts<DefinitionKey>('definitions', { en, zh });
