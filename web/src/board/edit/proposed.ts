import { Store } from '../../live/store';
import type { WrittenBoard } from './draft';

/** A board that was proposed and is not saved: what the form of a new one begins with where the address says so. */
export const proposedBoard = new Store<{ name: string; board: WrittenBoard } | null>(null);
