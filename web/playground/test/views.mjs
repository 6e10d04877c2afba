// The views of a result, the gallery, and copying as code.
import assert from 'node:assert/strict'
import { demo, onPage, open, run, screenshot, shows, token, useToken, view } from './support.mjs'

const query = `query Front {
  popular(first: 4) {
    nodes { key name picture(size: W320) { url } user { name followerCount } }
  }
  categories { name slug key picture(size: MEDIUM) { url } }
  user(username: "spartacus") { name key picture(size: W320) { url } comments(first: 3) { nodes { text } } }
}`

/** Makes each call to the emulator take this time. */
const setLatency = (latency) => fetch(`${demo}/emulator/__emulator/settings`, { method: 'POST', body: JSON.stringify({ latency }) })

onPage('the waterfall shows calls with the critical path, and marks fields', async (page) => {
  await open(page, query)
  await setLatency('60ms')
  try {
    await run(page)
    await shows(page, 'response', /"popular"/)
  } finally {
    await setLatency('0s')
  }
  const waterfall = await view(page, 'Waterfall')
  const rows = waterfall.locator('ol').first().locator('li')
  await rows.first().waitFor()
  const names = await rows.locator('.name').allInnerTexts()
  assert.ok(names.some((name) => name.startsWith('GET /popular/')), names.join('; '))
  assert.ok((await waterfall.locator('li.critical').count()) > 0)
  await waterfall.locator('li').filter({ hasText: /^popular/ }).first().getByRole('button').click()
  await page.locator('.graphiql-query-editor .trace-mark').first().waitFor()
  await page.locator('.result-window .trace-mark').first().waitFor()
  await screenshot(page, 'waterfall')
  await run(page)
  await page.locator('.trace-mark').first().waitFor({ state: 'detached' })
  await waterfall.getByText(/hit, /).first().waitFor()
})

onPage('See it shows covers, users, tables, and a player that plays', async (page) => {
  const pictures = []
  page.on('request', (request) => request.resourceType() === 'image' && pictures.push(request.url()))
  await open(page, query)
  await run(page)
  await shows(page, 'response', /"popular"/)
  const seen = await view(page, 'See it')
  await seen.locator('.shows img').first().waitFor()
  assert.equal(await seen.locator('.shows > li').count(), 4)
  assert.ok((await seen.locator('.covers > li').count()) > 20)
  await seen.getByRole('button', { name: /^Play/ }).first().click()
  await screenshot(page, 'see-it')
  const player = page.frameLocator('.shows iframe')
  await player.getByRole('button', { name: 'Play' }).click()
  await player.getByRole('button', { name: 'Pause' }).waitFor()
  await player.locator('.clock').filter({ hasText: /^0:0[1-9]/ }).waitFor()
  await seen.getByRole('button', { name: 'Close player' }).click()
  assert.ok(pictures.length > 10)
  await seen.locator('.shows button.name').first().click()
  await shows(page, 'query', /query Cloudcast/)
}, { expected: [/Autoplay/i] })

onPage('the gallery opens a query in a tab', async (page) => {
  await open(page)
  await page.getByLabel('Show Gallery').click()
  const gallery = page.locator('.graphiql-plugin')
  await gallery.getByRole('button', { name: /A user and the latest shows/ }).click()
  await shows(page, 'query', /cloudcasts/)
  await run(page)
  await shows(page, 'response', /"cloudcasts"/)
  await gallery.getByRole('button', { name: /Popular shows/ }).click()
  await shows(page, 'query', /popular/)
  await run(page)
  await shows(page, 'response', /"popular"/)
  const seen = await view(page, 'See it')
  await seen.locator('.shows img').first().waitFor()
  await screenshot(page, 'playground')
}, { viewport: { width: 1200, height: 720 } })

onPage('a query can be copied as code and as a link, without the token', async (page) => {
  await open(page, '{ user(username: "spartacus") { city } }')
  await useToken(page)
  await page.getByText('Robin Hale').waitFor()
  const copied = () => page.evaluate(() => navigator.clipboard.readText())
  const notice = page.locator('.notice[role=status]')
  await page.getByRole('button', { name: 'Copy as code', exact: true }).click()
  await page.getByRole('button', { name: 'Copy as curl' }).click()
  await notice.filter({ hasText: 'curl code with the placeholder $TOKEN copied.' }).waitFor()
  const code = await copied()
  assert.match(code, /^curl [^]*\$TOKEN/)
  assert.ok(!code.includes(token), code)
  await page.getByRole('button', { name: 'Copy link' }).click()
  await notice.filter({ hasText: 'Link copied.' }).waitFor()
  const link = await copied()
  assert.ok(link.startsWith(`${demo}/#query=`) && !link.includes(token), link)
  await page.goto('about:blank')
  await page.goto(link)
  await shows(page, 'query', /spartacus/)
})
