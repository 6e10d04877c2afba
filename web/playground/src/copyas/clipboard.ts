import { store } from '../store'

/** A short message after an action. It disappears after four seconds. */
export const notice = store('')

let timer = 0

export function notify(text: string): void {
  notice.set(text)
  window.clearTimeout(timer)
  timer = window.setTimeout(() => notice.set(''), 4000)
}

/** Copies a text and shows a message. Pages without TLS, except those on localhost, have no clipboard API, so they copy a selection. */
export async function copyText(text: string, what: string): Promise<void> {
  const copied = await (navigator.clipboard ? navigator.clipboard.writeText(text).then(() => true, () => copySelected(text)) : copySelected(text))
  notify(copied ? `${what} copied.` : 'The browser does not allow copying.')
}

function copySelected(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'visually-hidden'
  document.body.append(area)
  area.select()
  const copied = document.execCommand('copy')
  area.remove()
  return copied
}
