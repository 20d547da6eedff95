/** What the server says about definitions that it did not take, or about those in force. */
export interface DefinitionFault {
  /** Absent where the words are about no place in a file. */
  place: { file: string; line: number; column: number } | null;
  message: string;
  suggestion: string | null;
}

/** `payments.yaml:12:5: message`, with the suggestion on a line of its own. */
const placed = /^(.+?):(\d+):(\d+): ([\s\S]*)$/;
const help = /\n\s*help: ([\s\S]*)$/;

export function readDefinitionFault(text: string): DefinitionFault {
  const suggestion = help.exec(text);
  const told = suggestion ? text.slice(0, suggestion.index) : text;
  const found = placed.exec(told);
  return {
    place: found ? { file: found[1] ?? '', line: Number(found[2]), column: Number(found[3]) } : null,
    message: found ? (found[4] ?? '') : told,
    suggestion: suggestion?.[1]?.trim() || null,
  };
}
