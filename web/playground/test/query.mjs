// Writing and running a query: keys, tabs, history, links.
import assert from 'node:assert/strict'
import { demo, follow, onPage, open, ready, run, screenshot, shows, textOf } from './support.mjs'

const query = '{ user(username: "spartacus") { name city } }'
const expected = /"name": "Spartacus",\s*"city": "London"/

/** Replaces the text of the query editor, by pasting: the editor closes brackets that are typed. */
async function type(page, text) {
  await page.locator('.graphiql-query-editor .view-line').first().click()
  await page.keyboard.press('Control+A')
  await page.keyboard.press('Delete')
  await page.evaluate((pasted) => navigator.clipboard.writeText(pasted), text)
  await page.keyboard.press('Control+V')
  await shows(page, 'query', new RegExp(text.replace(/[^a-z]+/gi, '.*'), 's'))
}

onPage('a typed query runs with Ctrl+Enter', async (page) => {
  await open(page)
  await type(page, query)
  await page.keyboard.press('Control+Enter')
  await shows(page, 'response', expected)
})

onPage('an unknown field is underlined before the query runs', async (page) => {
  await open(page)
  await type(page, '{ user(username: "spartacus") { nickname } }')
  await page.locator('.graphiql-query-editor .squiggly-error').first().waitFor()
})

onPage('completions come from the schema', async (page) => {
  await open(page)
  await type(page, '{ pop')
  await page.keyboard.press('Control+Space')
  await page.locator('.suggest-widget').getByText('popular', { exact: true }).first().waitFor()
})

onPage('each tab has its own query and response', async (page) => {
  await open(page, query)
  await run(page)
  await shows(page, 'response', expected)
  const tabs = page.locator('.graphiql-tab')
  const before = await tabs.count()
  await page.getByLabel('New tab').click()
  assert.equal(await tabs.count(), before + 1)
  await type(page, '{ tag(name: "dub") { name } }')
  await page.keyboard.press('Control+Enter')
  await shows(page, 'response', /"name": "(Dub|dub)"/)
  await page.locator('.graphiql-tab-button').nth(before - 1).click()
  await shows(page, 'query', /spartacus/)
  await shows(page, 'response', expected)
})

onPage('the history has the queries that ran', async (page) => {
  await open(page, query)
  await run(page)
  await shows(page, 'response', expected)
  await page.getByLabel('Show History').click()
  const items = page.locator('.graphiql-history-item')
  await items.getByText(/spartacus/).first().waitFor()
  await type(page, '{ __typename }')
  await items.getByText(/spartacus/).first().click()
  await shows(page, 'query', /spartacus/)
})

onPage('a link opens its query and variables in a tab, and does not run it', async (page) => {
  const sent = []
  page.on('request', (request) => request.postData()?.includes('"Shared') && sent.push(request.headers()))
  await open(page, 'query Shared($name: String!) { user(username: $name) { name city } }', { name: 'spartacus' })
  await shows(page, 'query', /query Shared/)
  await shows(page, 'variables', /"name": "spartacus"/)
  assert.equal(new URL(page.url()).hash, '')
  await page.getByText(/of \d+ calls/).waitFor()
  assert.ok(sent.length > 0 && sent.every((headers) => headers['x-graphql-dry-run']), 'the linked query ran')
  await run(page)
  await shows(page, 'response', expected)
})

onPage('a browser that opens /graphql with a query comes to the page', async (page) => {
  await page.goto(`${demo}/graphql?query=${encodeURIComponent(query)}`)
  await ready(page)
  await shows(page, 'query', /spartacus/)
})

onPage('a link that is opened in the page adds a tab', async (page) => {
  await open(page, query)
  const before = await page.locator('.graphiql-tab').count()
  await follow(page, '{ tag(name: "dub") { name } }')
  await shows(page, 'query', /tag\(name: "dub"\)/)
  assert.equal(await page.locator('.graphiql-tab').count(), before + 1)
  assert.doesNotMatch(await textOf(page, 'query'), /spartacus/)
})

onPage('the documentation of the schema shows fields with their costs', async (page) => {
  await open(page)
  await page.getByLabel('Show Documentation Explorer').click()
  await page.locator('.graphiql-doc-explorer').getByRole('link', { name: 'Mutation', exact: true }).first().click()
  await page.locator('.graphiql-doc-explorer').getByText(/Cost: \d+ call/).nth(3).waitFor()
  await page.locator('.graphiql-doc-explorer').getByRole('link', { name: 'followUser', exact: true }).click()
  await page.locator('.graphiql-doc-explorer').getByText(/Cost: \d+ call/).first().waitFor()
})
