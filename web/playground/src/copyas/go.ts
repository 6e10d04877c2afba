import { mapOf, type Request } from './request'
import { goString } from './text'

const failed = ['if err != nil {', '\tlog.Fatal(err)', '}']
const check = (call: string) => [`if ${call}; err != nil {`, '\tlog.Fatal(err)', '}']
const inner = (lines: string[]) => lines.map((line) => '\t' + line)

/** Returns a Go program that uses only the standard library. */
export function goCode(request: Request): string {
  const { kind, files, query, token } = request
  const upload = files.length > 0
  const imports = ['bytes', 'encoding/json', 'io', 'log', ...(upload ? ['mime/multipart'] : []), 'net/http', 'os', ...(upload ? ['strconv'] : [])]
  const main = [
    `operation, err := json.Marshal(map[string]any{`,
    ...inner(members(request)),
    '})',
    ...failed,
    ...(upload ? form(request) : []),
    `req, err := http.NewRequest(http.MethodPost, ${goString(request.endpoint)}, ${upload ? '&body' : 'bytes.NewReader(operation)'})`,
    ...failed,
    `req.Header.Set("Content-Type", ${upload ? 'form.FormDataContentType()' : '"application/json"'})`,
    ...(kind === 'subscription' ? ['req.Header.Set("Accept", "text/event-stream")'] : []),
    ...(token ? ['req.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))'] : []),
    'resp, err := http.DefaultClient.Do(req)',
    ...failed,
    'defer resp.Body.Close()',
    ...check('_, err := io.Copy(os.Stdout, resp.Body)'),
  ]
  return `package main

import (
${imports.map((path) => `\t"${path}"\n`).join('')})

const query = ${goString(query)}

func main() {
${inner(main).join('\n')}
}
`
}

/** Returns the members of the operation, aligned as by gofmt. */
function members({ name, several, variables }: Request): string[] {
  const all: [string, string][] = [['"query":', 'query']]
  if (several && name) all.push(['"operationName":', goString(name)])
  if (Object.keys(variables).length > 0) all.push(['"variables":', `json.RawMessage(${goString(JSON.stringify(variables))})`])
  const width = Math.max(...all.map(([key]) => key.length))
  return all.map(([key, value]) => `${key.padEnd(width)} ${value},`)
}

function form(request: Request): string[] {
  return [
    'var body bytes.Buffer',
    'form := multipart.NewWriter(&body)',
    ...check('err := form.WriteField("operations", string(operation))'),
    ...check(`err := form.WriteField("map", ${goString(JSON.stringify(mapOf(request)))})`),
    `for i, name := range []string{${request.files.map(({ name }) => goString(name)).join(', ')}} {`,
    ...inner([
      'file, err := os.ReadFile(name)',
      ...failed,
      'part, err := form.CreateFormFile(strconv.Itoa(i), name)',
      ...failed,
      ...check('_, err := part.Write(file)'),
    ]),
    '}',
    ...check('err := form.Close()'),
  ]
}
