import { type PageText, pageTexts } from '../../../i18n/page';
import { type BoardText, en } from './en';
import { zh } from './zh';

export type Say = PageText<BoardText>;
export type { BoardText };

/** What the list of boards and the form for one say. */
export const boardTexts = pageTexts<BoardText>('boards', { en, zh });
