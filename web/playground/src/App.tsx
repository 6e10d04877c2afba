import { explorerPlugin } from '@graphiql/plugin-explorer'
import { HISTORY_PLUGIN } from '@graphiql/plugin-history'
import { GraphiQL } from 'graphiql'
import { Suspense, use } from 'react'
import { CopyMenu } from './copyas/CopyMenu'
import { CostMeter } from './cost/CostMeter'
import { EditorTheme } from './EditorTheme'
import { fetcher } from './fetcher'
import { examples } from './gallery/examples'
import { galleryPlugin } from './gallery/Gallery'
import { OpenLink } from './OpenLink'
import { options } from './options'
import { ResultPanel } from './ResultPanel'
import { SessionMenu } from './SessionMenu'
import { storage } from './storage'

const plugins = [galleryPlugin, HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })]

const mac = navigator.userAgent.includes('Mac')

export function App() {
  return (
    <>
      <header className="top">
        <h1>
          <img src="/playground/icon.svg" alt="" width="24" height="24" /> mixcloud-graphql
          {options.demo && <span className="note">demo: an emulated Mixcloud</span>}
        </h1>
        <p className="keys-note">
          Tab indents in an editor. To leave it: <kbd>{mac ? 'Ctrl+Shift+M' : 'Ctrl+M'}</kbd>, then Tab.
        </p>
        <SessionMenu />
      </header>
      <main>
        <Suspense fallback={null}>
          <Editors />
        </Suspense>
      </main>
    </>
  )
}

/** Renders GraphiQL. The first tab of a new user contains the first query of the gallery. */
function Editors() {
  const first = use(examples)[0]
  return (
    <GraphiQL fetcher={fetcher} plugins={plugins} storage={storage} shouldPersistHeaders={false} showPersistHeadersSettings={false} defaultEditorToolsVisibility="variables" {...(first && { defaultQuery: first.query })}>
      <GraphiQL.Logo>
        <CostMeter />
        <OpenLink />
        <EditorTheme />
      </GraphiQL.Logo>
      <GraphiQL.Toolbar>
        {({ prettify, merge, copy }) => (
          <>
            {prettify}
            {merge}
            {copy}
            <CopyMenu />
          </>
        )}
      </GraphiQL.Toolbar>
      <GraphiQL.Footer>
        <ResultPanel />
      </GraphiQL.Footer>
    </GraphiQL>
  )
}
