import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'
import { useCallback } from 'react'

/** A query with its variables, to open in a tab. */
export interface Query {
  query: string
  variables?: Record<string, unknown> | undefined
}

/** Returns a function that opens a query in a new tab, without running the query. */
export function useOpenTab(): (query: Query) => void {
  const { addTab } = useGraphiQLActions()
  const queryEditor = useGraphiQL((state) => state.queryEditor)
  const variableEditor = useGraphiQL((state) => state.variableEditor)
  return useCallback(
    ({ query, variables }) => {
      addTab()
      queryEditor?.setValue(query)
      variableEditor?.setValue(variables && Object.keys(variables).length > 0 ? JSON.stringify(variables, null, 2) : '')
      queryEditor?.focus()
    },
    [addTab, queryEditor, variableEditor],
  )
}
