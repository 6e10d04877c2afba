import { useGraphiQL } from '@graphiql/react'
import { useEffect } from 'react'
import { fromLink } from './link'
import { useOpenTab } from './tabs'

/** Opens the query in the page's URL in a new tab, when the page loads and when the URL changes. Does not run the query. */
export function OpenLink() {
  const open = useOpenTab()
  const ready = useGraphiQL((state) => Boolean(state.queryEditor && state.variableEditor))
  useEffect(() => {
    if (!ready) return undefined
    const openLink = () => {
      const linked = fromLink(location.hash)
      if (!linked) return
      history.replaceState(null, '', location.pathname + location.search)
      open(linked)
    }
    openLink()
    addEventListener('hashchange', openLink)
    return () => removeEventListener('hashchange', openLink)
  }, [ready, open])
  return null
}
