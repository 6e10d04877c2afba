import { explorerPlugin } from '@graphiql/plugin-explorer'
import { HISTORY_PLUGIN } from '@graphiql/plugin-history'
import { GraphiQL } from 'graphiql'
import { CostMeter } from './cost/CostMeter'
import { fetcher } from './fetcher'
import { OpenLink } from './OpenLink'
import { options } from './options'
import { ResultPanel } from './ResultPanel'
import { SessionMenu } from './SessionMenu'
import { storage } from './storage'

const plugins = [HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })]

export function App() {
  return (
    <>
      <header className="top">
        <h1>
          <img src="/playground/icon.svg" alt="" width="24" height="24" /> mixcloud-graphql
          {options.demo && <span className="note">demo: an emulated Mixcloud</span>}
        </h1>
        <SessionMenu />
      </header>
      <main>
        <GraphiQL fetcher={fetcher} plugins={plugins} storage={storage} shouldPersistHeaders={false} showPersistHeadersSettings={false}>
          <GraphiQL.Logo>
            <CostMeter />
            <OpenLink />
          </GraphiQL.Logo>
          <GraphiQL.Footer>
            <ResultPanel />
          </GraphiQL.Footer>
        </GraphiQL>
      </main>
    </>
  )
}
