import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';

/**
 * Writing over a selection, done without the browser: Chromium would keep the style of what it deletes in a `style`
 * attribute, which the page's policy forbids and reports as an error.
 */
export const overwrite: Extension = EditorView.domEventHandlers({
  beforeinput: (event, view) => {
    const { main } = view.state.selection;
    const text = event.data;
    if (event.inputType !== 'insertText' || event.isComposing || !text || main.empty) return false;
    event.preventDefault();
    const insert = () =>
      view.state.update(view.state.replaceSelection(text), { userEvent: 'input.type', scrollIntoView: true });
    // Brackets that are closed by themselves go around what is selected.
    const handlers = view.state.facet(EditorView.inputHandler);
    if (!handlers.some((handle) => handle(view, main.from, main.to, text, insert))) view.dispatch(insert());
    return true;
  },
});
