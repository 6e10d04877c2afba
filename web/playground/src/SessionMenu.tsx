import { useEffect, useId, useRef, type FormEvent } from 'react'
import { bearer } from './account'
import { result } from './fetcher'
import { options } from './options'
import { pictures } from './pictures'
import { problem, refresh, signOut, use, viewer, type Viewer } from './session'

/** The user whose token the page's requests carry, and the buttons to sign in and out. */
export function SessionMenu() {
  const user = viewer.use()
  const wrong = problem.use()
  const refused = result.use()?.response.body?.errors?.some((e) => e.extensions?.code === 'UNAUTHENTICATED') ?? false
  useEffect(() => {
    void refresh()
  }, [])
  // Mixcloud may refuse a token at any time, for example after the user has revoked it.
  useEffect(() => {
    if (refused && viewer.get()) void refresh()
  }, [refused])
  return (
    <div className="session">
      {wrong && <span role="alert">{wrong}</span>}
      <span role="status">{user && <SignedIn user={user} />}</span>
      {user && <SignOut />}
      {user === null && <SignIn />}
    </div>
  )
}

function SignedIn({ user }: { user: Viewer }) {
  const allowed = pictures.use()
  return (
    <span className="user" title={user.username}>
      {allowed && user.picture && <img src={user.picture.url} alt="" width="28" height="28" referrerPolicy="no-referrer" />}
      <span className="visually-hidden">Signed in as </span>
      {user.name || user.username}
    </span>
  )
}

function SignOut() {
  const token = bearer.use()
  return (
    <button type="button" onClick={() => void signOut()}>
      {token ? 'Forget token' : 'Sign out'}
    </button>
  )
}

function SignIn() {
  const dialog = useRef<HTMLDialogElement>(null)
  return (
    <>
      {options.signIn && (
        <a className="button primary" href="/oauth/login?next=/">
          Sign in with Mixcloud
        </a>
      )}
      <button type="button" onClick={() => dialog.current?.showModal()}>
        Use a token
      </button>
      <TokenDialog ref={dialog} />
    </>
  )
}

function TokenDialog({ ref }: { ref: React.RefObject<HTMLDialogElement | null> }) {
  const id = useId()
  const submit = (event: FormEvent<HTMLFormElement>) => {
    void use(String(new FormData(event.currentTarget).get('token') ?? ''))
  }
  return (
    <dialog ref={ref} aria-labelledby={id} className="token-dialog" onClose={(event) => event.currentTarget.querySelector('form')?.reset()}>
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
