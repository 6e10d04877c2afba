import { useId, useRef } from 'react'
import { formats } from './formats'
import type { Request } from './request'

/** A button that opens a list of the formats in which an operation can be copied. */
export function FormatMenu({ onChoose }: { onChoose(name: string, code: (request: Request) => string): void }) {
  const id = useId()
  const button = useRef<HTMLButtonElement>(null)
  const list = useRef<HTMLUListElement>(null)

  /** Places the list next to the button, within the window. */
  const place = () => {
    if (!button.current || !list.current) return
    const { left, bottom } = button.current.getBoundingClientRect()
    list.current.style.left = `${Math.max(8, Math.min(left, innerWidth - list.current.offsetWidth - 8))}px`
    list.current.style.top = `${Math.max(8, Math.min(bottom + 4, innerHeight - list.current.offsetHeight - 8))}px`
  }
  return (
    <>
      <button ref={button} type="button" className="graphiql-un-styled graphiql-toolbar-button" popoverTarget={id} aria-label="Copy as code" title="Copy as code">
        <svg className="graphiql-toolbar-icon" viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.6" aria-hidden="true">
          <path d="M6.5 5 2 10l4.5 5M13.5 5l4.5 5-4.5 5M11.5 3.5l-3 13" />
        </svg>
      </button>
      <ul ref={list} id={id} popover="auto" className="format-menu" aria-label="Copy as code" onToggle={place}>
        {formats.map(({ name, code }) => (
          <li key={name}>
            <button
              type="button"
              onClick={() => {
                list.current?.hidePopover()
                onChoose(name, code)
              }}
            >
              Copy as {name}
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}
