import { ToolbarButton, useGraphiQL } from '@graphiql/react'
import { linkTo } from '../link'
import { viewer } from '../session'
import { files } from '../uploads/upload'
import { variablesOf } from '../variables'
import { copyText, notice, notify } from './clipboard'
import { FormatMenu } from './FormatMenu'
import { requestOf, type Request } from './request'
import './copyas.css'

/** Toolbar buttons that copy the operation in the editor: as code, and as a link. Neither contains a header or a token. */
export function CopyMenu() {
  const schema = useGraphiQL((state) => state.schema)
  const queryEditor = useGraphiQL((state) => state.queryEditor)
  const variableEditor = useGraphiQL((state) => state.variableEditor)
  const operationName = useGraphiQL((state) => state.operationName)
  const message = notice.use()

  /** Calls `use` with the query and its variables, if there is a query and the variables are valid. */
  const withOperation = (use: (query: string, variables: Record<string, unknown>) => void) => {
    const query = queryEditor?.getValue() ?? ''
    const variables = variablesOf(variableEditor?.getValue() ?? '')
    if (!query.trim()) notify('The editor is empty.')
    else if (!variables) notify('The variables are not a JSON object.')
    else use(query, variables)
  }
  const copyAs = (name: string, code: (request: Request) => string) =>
    withOperation((query, variables) => {
      const chosen = new Map([...files.get()].map(([path, file]) => [path, file.name]))
      const signedIn = Boolean(viewer.get())
      const request = requestOf({ endpoint: location.origin + '/graphql', schema, query, operationName, variables, chosen, signedIn })
      void copyText(code(request), request.token ? `${name} code with the placeholder $TOKEN` : `${name} code`)
    })
  const copyLink = () => withOperation((query, variables) => void copyText(linkTo(location.href, { query, variables }), 'Link'))
  return (
    <>
      <FormatMenu onChoose={copyAs} />
      <ToolbarButton label="Copy link" onClick={copyLink}>
        <svg className="graphiql-toolbar-icon" viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.6" aria-hidden="true">
          <path d="M8.5 11.5a3.5 3.5 0 0 0 5 0l3-3a3.5 3.5 0 0 0-5-5L10 5M11.5 8.5a3.5 3.5 0 0 0-5 0l-3 3a3.5 3.5 0 0 0 5 5L10 15" />
        </svg>
      </ToolbarButton>
      <div className="notice" role="status">
        {message}
      </div>
    </>
  )
}
