// Signing in with Mixcloud and with a token, and acting as the viewer.
import assert from 'node:assert/strict'
import { demo, keepsSecret, onPage, open, ready, run, shows, token, useToken } from './support.mjs'

const viewer = 'query Me { viewer { username } }'

async function signIn(page) {
  await page.getByRole('link', { name: 'Sign in with Mixcloud' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.waitForURL(`${demo}/`)
  await page.getByText('Robin Hale').waitFor()
  await ready(page)
}

onPage('a user signs in at Mixcloud, and signs out', async (page) => {
  await open(page, viewer)
  await signIn(page)
  await page.locator('.session img').waitFor()
  await shows(page, 'query', /query Me/)
  await run(page)
  await shows(page, 'response', /"username": "demo"/)
  await keepsSecret(page)
  await page.reload()
  await page.getByText('Robin Hale').waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('link', { name: 'Sign in with Mixcloud' }).waitFor()
  await run(page)
  await shows(page, 'response', /"viewer": null/)
})

onPage('a user who denies the access stays anonymous', async (page) => {
  await open(page)
  await page.getByRole('link', { name: 'Sign in with Mixcloud' }).click()
  await page.getByRole('button', { name: 'Deny' }).click()
  await page.goto(`${demo}/`)
  await page.getByRole('link', { name: 'Sign in with Mixcloud' }).waitFor()
}, { expected: [/status of 4\d\d/] })

onPage('a pasted token is in the memory of the page only', async (page) => {
  await open(page, viewer)
  await useToken(page)
  await page.getByText('Robin Hale').waitFor()
  await run(page)
  await shows(page, 'response', /"username": "demo"/)
  await page.getByLabel('Show History').click()
  await page.locator('.graphiql-history-item').first().waitFor()
  await keepsSecret(page)
  await page.reload()
  await ready(page)
  await page.getByRole('button', { name: 'Use a token' }).waitFor()
  await run(page)
  await shows(page, 'response', /"viewer": null/)
})

onPage('a pasted token can be forgotten', async (page) => {
  await open(page, viewer)
  await useToken(page)
  await page.getByRole('button', { name: 'Forget token' }).click()
  await page.getByRole('button', { name: 'Use a token' }).waitFor()
  await run(page)
  await shows(page, 'response', /"viewer": null/)
})

onPage('a token that Mixcloud does not accept is reported', async (page) => {
  await open(page)
  await useToken(page, 'no-such-token')
  await page.getByText('Mixcloud does not accept this token.').waitFor()
  await page.getByRole('button', { name: 'Use a token' }).waitFor()
  await keepsSecret(page, 'no-such-token')
}, { expected: [/status of 4\d\d/] })

onPage('an Authorization header of the header editor is sent, and not stored', async (page) => {
  await open(page, viewer)
  await page.getByRole('button', { name: 'Headers' }).click()
  await page.locator('.graphiql-editor-tool .view-line').last().click()
  await page.keyboard.insertText(JSON.stringify({ Authorization: `Bearer ${token}` }))
  await run(page)
  await shows(page, 'response', /"username": "demo"/)
  await page.getByLabel('Show History').click()
  await page.locator('.graphiql-history-item').first().waitFor()
  const { local } = await keepsSecret(page)
  assert.match(local, /query Me/, 'the page stores the query')
})

onPage('a viewer follows a user', async (page) => {
  await open(page, 'mutation Follow { followUser(input: {username: "tidewrack"}) { changed user { viewerIsFollowing } userErrors { message } } }')
  await useToken(page)
  await page.getByText('Robin Hale').waitFor()
  await run(page)
  await shows(page, 'response', /"changed": true,\s*"user": \{\s*"viewerIsFollowing": true/)
})

onPage('an anonymous user cannot follow', async (page) => {
  await open(page, 'mutation Follow { followUser(input: {username: "tidewrack"}) { changed } }')
  await run(page)
  await shows(page, 'response', /"code": "UNAUTHENTICATED"/)
}, { expected: [/status of 4\d\d/] })
