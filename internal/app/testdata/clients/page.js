// The functions of the page of browser.mjs: GraphQL without a client library.

// docs: fetch
async function execute(url, operation, headers = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json', ...headers },
    body: JSON.stringify(operation),
  })
  return { status: response.status, headers: Object.fromEntries(response.headers), ...(await response.json()) }
}
// docs: end

// docs: upload
async function upload(url, token, query, variables, path, file) {
  const form = new FormData()
  form.append('operations', JSON.stringify({ query, variables })) // the file is null here
  form.append('map', JSON.stringify({ 0: [path] })) // such as variables.input.mp3
  form.append('0', file)
  const response = await fetch(url, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body: form })
  return response.json()
}
// docs: end

// docs: events
async function* events(url, operation, headers = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream', ...headers },
    body: JSON.stringify(operation),
  })
  let text = ''
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + part).split('\n\n')
    text = blocks.pop()
    for (const block of blocks) {
      const event = /^event: (.*)$/m.exec(block)?.[1] // comments, which keep the connection alive, have no event
      const data = /^data: (.+)$/m.exec(block)?.[1]
      if (event) yield data ? { event, data: JSON.parse(data) } : { event }
    }
  }
}
// docs: end
