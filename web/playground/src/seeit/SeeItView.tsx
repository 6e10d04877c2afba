import { useGraphiQL } from '@graphiql/react'
import { parse } from 'graphql'
import { useEffect, useMemo, useState } from 'react'
import { result } from '../fetcher'
import { options } from '../options'
import { pictures } from '../pictures'
import { useOpenTab } from '../tabs'
import { groupsOf, queryFor, resources, shown, type Group, type Item } from './model'
import './seeit.css'

/** The objects of the latest response: covers, shows with a player, users as cards, other objects as tables. */
export function SeeItView() {
  const latest = result.use()
  useEffect(() => pictures.set(true), [])
  const schema = useGraphiQL((state) => state.schema)
  const data = latest?.response.body?.data
  const groups = useMemo(() => {
    if (!schema || !latest || !data) return []
    try {
      return groupsOf(schema, parse(latest.operation.query), latest.operation.operationName, data)
    } catch {
      return [] // the document no longer fits the schema
    }
  }, [schema, latest, data])
  if (groups.length === 0) return <p>Run a query for users, cloudcasts or other resources to see them here.</p>
  return (
    <div className="see-it">
      {groups.map((group) => (
        <section key={group.path + group.type} aria-label={`${group.type} at ${group.path}`}>
          <h2>
            {group.path} <small>{group.items.length === 1 ? group.type : `${group.items.length} × ${group.type}`}</small>
          </h2>
          <GroupView group={group} />
          {group.items.length > shown && <p>The first {shown} are shown.</p>}
        </section>
      ))}
    </div>
  )
}

function GroupView({ group }: { group: Group }) {
  const items = group.items.slice(0, shown)
  if (group.type === 'Cloudcast') return <ul className="shows">{items.map((item, i) => <Show key={i} item={item} />)}</ul>
  if (group.type === 'User') return <ul className="cards">{items.map((item, i) => <Card key={i} item={item} />)}</ul>
  if (items.some((item) => item.picture)) return <ul className="covers">{items.map((item, i) => <Card key={i} item={item} />)}</ul>
  return <Table items={items} />
}

/** A cloudcast with its cover. The player is loaded when the user opens it. */
function Show({ item }: { item: Item }) {
  const [playing, setPlaying] = useState(false)
  return (
    <li>
      <div className="show">
        <Picture item={item} />
        <Name item={item} />
        {item.key && options.player && (
          <button type="button" aria-expanded={playing} onClick={() => setPlaying(!playing)}>
            {playing ? 'Close player' : 'Play'}
            <span className="visually-hidden"> {item.name}</span>
          </button>
        )}
      </div>
      {playing && <iframe title={`Player: ${item.name}`} src={`${options.player}?hide_cover=1&feed=${encodeURIComponent(item.key)}`} allow="autoplay; encrypted-media" />}
    </li>
  )
}

function Card({ item }: { item: Item }) {
  return (
    <li className="card">
      <Picture item={item} />
      <Name item={item} />
    </li>
  )
}

function Picture({ item }: { item: Item }) {
  return item.picture ? <img src={item.picture} alt="" loading="lazy" referrerPolicy="no-referrer" /> : null
}

/** The name of an object. For a resource it is a button that opens a query for it in a new tab. */
function Name({ item }: { item: Item }) {
  const open = useOpenTab()
  if (!item.key || !resources.has(item.type)) return <span>{item.name}</span>
  return (
    <button type="button" className="name" title={`Open a query for ${item.key}`} onClick={() => open(queryFor(item.type, item.key))}>
      {item.name}
    </button>
  )
}

function Table({ items }: { items: Item[] }) {
  const columns = [...new Set(items.flatMap((item) => item.values.map(([key]) => key)))].slice(0, 12)
  return (
    <table>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
          <th scope="col">
            <span className="visually-hidden">Query</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((item, i) => {
          const values = new Map(item.values)
          return (
            <tr key={i}>
              {columns.map((column) => (
                <td key={column}>{values.get(column)?.slice(0, 300)}</td>
              ))}
              <td>{item.key && <Name item={item} />}</td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
