// The schema's descriptions are Markdown. Their last paragraph is the cost, which the page highlights.
import { markdown } from '@graphiql/react'

/** Adds a class to paragraphs that begin with "Cost:". */
export function markCosts(): void {
  markdown.core.ruler.push('cost', ({ tokens }) => {
    tokens.forEach((token, i) => {
      if (token.type === 'paragraph_open' && tokens[i + 1]?.content.startsWith('Cost:')) token.attrJoin('class', 'cost-of-field')
    })
  })
}
