import { useEffect, useId, useRef, useState, type FormEvent } from 'react'
import { options } from './options'
import { bearer, refresh, signOut, viewer } from './session'

/** Who the requests of this page belong to; signing in and out. */
export function SessionMenu() {
  const user = viewer.use()
  const token = bearer.use()
  const [problem, setProblem] = useState('')
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    refresh().catch(() => viewer.set(null))
  }, [])

  if (user) {
    return (
      <div className="session">
        {user.picture && <img src={user.picture.url} alt="" width="28" height="28" />}
        <span title={user.username}>{user.name || user.username}</span>
        <button type="button" onClick={() => void signOut()}>
          {token ? 'Forget token' : 'Sign out'}
        </button>
      </div>
    )
  }
  return (
    <div className="session">
      {options.signIn && <a className="button primary" href="/oauth/login?next=/">Sign in with Mixcloud</a>}
      <button type="button" onClick={() => dialog.current?.showModal()}>
        Use a token
      </button>
      {problem && <span role="alert">{problem}</span>}
      <TokenDialog ref={dialog} onUse={async (text) => {
        bearer.set(text)
        const refused = await refresh().catch(() => 'The server cannot be reached.')
        setProblem(refused)
        if (refused) bearer.set('')
      }} />
    </div>
  )
}

function TokenDialog({ ref, onUse }: { ref: React.RefObject<HTMLDialogElement | null>; onUse(token: string): void }) {
  const id = useId()
  const submit = (event: FormEvent<HTMLFormElement>) => {
    const form = event.currentTarget
    const text = String(new FormData(form).get('token') ?? '').trim()
    form.reset()
    if (text) onUse(text)
  }
  return (
    <dialog ref={ref} aria-labelledby={id} className="token-dialog">
      <form method="dialog" onSubmit={submit}>
        <h2 id={id}>Use an access token</h2>
        <p>The token stays in the memory of this page until you reload it. It is sent to this server only.</p>
        {options.demo && (
          <p>
            In the demo, <code>demo-token</code> is the token of the user <code>demo</code>.
          </p>
        )}
        <label>
          Access token <input name="token" type="password" autoComplete="off" spellCheck={false} />
        </label>
        <div className="buttons">
          <button type="submit" className="primary">
            Use
          </button>
          <button type="button" onClick={(e) => e.currentTarget.closest('dialog')?.close()}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  )
}
