// Uploads with their progress, and subscriptions.
import assert from 'node:assert/strict'
import { demo, follow, onPage, open, run, screenshot, shows, token, useToken, view } from './support.mjs'

const upload = `mutation Upload($mp3: Upload!) {
  uploadCloudcast(input: {mp3: $mp3, name: "Browser test", tags: ["dub"], uploadId: "browser-1"}) {
    message
    cloudcast { key }
    userErrors { field message }
  }
}`
const megabytes = 40
const file = { name: 'show.mp3', mimeType: 'audio/mpeg', buffer: Buffer.alloc(megabytes << 20, 'ID3 not quite an mp3 ') }

/** Makes the emulator read uploads at a rate, in bytes per second; 0 is no limit. */
const setReadRate = (rate) => fetch(`${demo}/emulator/__emulator/settings`, { method: 'POST', body: JSON.stringify({ readRate: rate }) })

onPage('an upload shows a moving bar, and its result', async (page) => {
  await open(page, upload)
  await useToken(page)
  await page.getByText('Robin Hale').waitFor()
  await page.locator('.file-picker input[type=file]').setInputFiles(file)
  await setReadRate(16 << 20)
  try {
    await run(page)
    const values = new Set()
    const bar = page.locator('.upload-progress progress[value]')
    await bar.waitFor()
    await page.waitForFunction(() => document.querySelector('.upload-progress progress')?.value > 0)
    for (;;) {
      const value = await page.evaluate(() => document.querySelector('.upload-progress progress')?.value ?? -1)
      if (value < 0) break
      if (values.size === 1) await screenshot(page, 'upload')
      values.add(value)
      await page.waitForFunction((before) => (document.querySelector('.upload-progress progress')?.value ?? -1) !== before, value)
    }
    assert.ok(values.size >= 3, `the bar had the values ${[...values]}`)
  } finally {
    await setReadRate(0)
  }
  await shows(page, 'response', /"message": "Uploaded Browser test"/)

  // The subscription reports the end of the upload, for ten minutes.
  await follow(page, 'subscription { uploadProgress(uploadId: "browser-1") { phase bytesSent bytesTotal } }')
  await run(page)
  const events = await view(page, 'Events')
  await events.getByText('The server has completed the subscription. 1 event.').waitFor()
  await events.getByText('"phase":"DONE"').waitFor()
  assert.match(await events.locator('time').first().innerText(), /^\d\d:\d\d:\d\d\.\d{3}$/)
  await shows(page, 'response', /"phase": "DONE"/)
})

onPage('an upload can be canceled', async (page) => {
  await open(page, upload.replace('browser-1', 'browser-2').replace('Browser test', 'Canceled'))
  await useToken(page)
  await page.getByText('Robin Hale').waitFor()
  await page.locator('.file-picker input[type=file]').setInputFiles(file)
  await setReadRate(1 << 20)
  try {
    await run(page)
    await page.locator('.upload-progress').getByRole('button', { name: 'Cancel' }).click()
    await page.locator('.upload-progress').waitFor({ state: 'detached' })
  } finally {
    await setReadRate(0)
  }
  const uploads = await (await fetch(`${demo}/emulator/__emulator/uploads`)).json()
  assert.ok(uploads.every(({ key }) => !key.includes('canceled')), JSON.stringify(uploads))
})

onPage('a subscription can be stopped', async (page) => {
  await open(page, 'subscription { uploadProgress(uploadId: "never-begun") { phase } }')
  await useToken(page, token)
  await page.getByText('Robin Hale').waitFor()
  await run(page)
  const events = await view(page, 'Events')
  await events.getByText(/The subscription is open\./).waitFor()
  await run(page) // the same button stops it
  await events.getByText(/You stopped the subscription\./).waitFor()
})
