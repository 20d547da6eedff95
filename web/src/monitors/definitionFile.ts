import { type Draft, definitionOf } from './draft';
import { yamlDocument } from './yaml';

/** The draft as a file of the definitions folder. */
export function fileOf(draft: Draft, name: string): string {
  return yamlDocument({ monitors: { [name]: definitionOf(draft) } });
}
