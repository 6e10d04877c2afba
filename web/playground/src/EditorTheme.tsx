import { useMonaco } from '@graphiql/react'
import { useEffect } from 'react'

// Colors of GraphiQL's themes, and colors for comments and line numbers that have enough contrast on its backgrounds.
const themes = {
  dark: { base: 'vs-dark', background: '#212a3b', link: '#ff5794', selected: '#ff579419', input: '#b7c2d711', argument: '#a5a0ff', comment: '#8fbf7f', number: '#a8b3c7' },
  light: { base: 'vs', background: '#ffffffff', link: '#d60590', selected: '#d6059019', input: '#3b4b6811', argument: '#5a57c0', comment: '#006b00', number: '#55607a' },
} as const

/** Defines the editors' themes again, under GraphiQL's names. */
export function EditorTheme() {
  const monaco = useMonaco((state) => state.monaco)
  useEffect(() => {
    if (!monaco) return
    for (const [name, t] of Object.entries(themes)) {
      const entries = (value: string, names: string[]) => Object.fromEntries(names.map((key) => [key, value]))
      monaco.editor.defineTheme(`graphiql-${name.toUpperCase()}`, {
        base: t.base,
        inherit: true,
        rules: [
          { token: 'argument.identifier.gql', foreground: t.argument },
          { token: 'comment', foreground: t.comment },
        ],
        colors: {
          ...entries('#ffffff00', ['editor.background', 'scrollbar.shadow']),
          ...entries(t.background, ['editorHoverWidget.background', 'menu.background', 'editorSuggestWidget.background', 'quickInput.background', 'editorWidget.background']),
          ...entries(t.link, ['textLink.foreground', 'textLink.activeForeground', 'editorLink.activeForeground', 'list.highlightForeground', 'list.focusHighlightForeground']),
          ...entries(t.link, ['editorSuggestWidget.selectedForeground', 'focusBorder', 'editorWidget.resizeBorder', 'pickerGroup.foreground', 'menu.selectionForeground']),
          ...entries(t.selected, ['list.hoverBackground', 'editorSuggestWidget.selectedBackground', 'toolbar.hoverBackground', 'inputOption.hoverBackground']),
          ...entries(t.selected, ['quickInputList.focusBackground', 'menu.selectionBackground']),
          ...entries(name === 'dark' ? '#ffffff' : '#444444', ['quickInputList.focusForeground']),
          ...entries(t.input, ['input.background']),
          ...entries(t.number, ['editorLineNumber.foreground']),
        },
      })
    }
  }, [monaco])
  return null
}
