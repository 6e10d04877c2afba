import type { GraphiQLPlugin } from '@graphiql/react'
import { use, useId, useState } from 'react'
import { viewer } from '../session'
import { useOpenTab } from '../tabs'
import { examples, groupsOf, queryOf, type Example } from './examples'
import './gallery.css'

/** The sidebar's list of example operations. A click opens one in a new tab; it does not run it. */
function Gallery() {
  const all = use(examples)
  const [text, setText] = useState('')
  const id = useId()
  const groups = groupsOf(all, text)
  return (
    <section className="gallery" aria-label="Gallery">
      <h2>Gallery</h2>
      <label htmlFor={id}>Find an example</label>
      <input id={id} type="search" value={text} placeholder="followers, upload, playlist…" onChange={(event) => setText(event.currentTarget.value)} />
      {groups.map(([group, members]) => (
        <section key={group} aria-label={group}>
          <h3>{group}</h3>
          <ul>
            {members.map((example) => (
              <Entry key={example.title} example={example} />
            ))}
          </ul>
        </section>
      ))}
      {groups.length === 0 && <p>{all.length > 0 ? 'No example contains these words.' : 'The examples could not be loaded. Reload the page.'}</p>}
    </section>
  )
}

function Entry({ example }: { example: Example }) {
  const open = useOpenTab()
  const signedIn = Boolean(viewer.use())
  const { title, description, kind, files, token } = example
  const notes = [kind !== 'query' && kind, files && (files.length === 1 ? 'a file' : `${files.length} files`), token && !signedIn && 'sign in first'].filter(Boolean)
  return (
    <li>
      <button type="button" onClick={() => open(queryOf(example, location.origin))}>
        <span className="title">{title}</span>
        {notes.length > 0 && <span className="notes">{notes.join(' · ')}</span>}
        {description && <span className="description">{description}</span>}
      </button>
    </li>
  )
}

function Icon() {
  return (
    <svg viewBox="0 0 20 20" height="1em" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <rect x="2.5" y="2.5" width="6" height="6" rx="1.5" />
      <rect x="11.5" y="2.5" width="6" height="6" rx="1.5" />
      <rect x="2.5" y="11.5" width="6" height="6" rx="1.5" />
      <rect x="11.5" y="11.5" width="6" height="6" rx="1.5" />
    </svg>
  )
}

export const galleryPlugin: GraphiQLPlugin = { title: 'Gallery', icon: Icon, content: Gallery }
