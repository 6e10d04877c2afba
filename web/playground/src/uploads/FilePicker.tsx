import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'
import { useEffect, useMemo } from 'react'
import { fileFields, type FileField } from './form'
import { files, progress, type Progress } from './upload'
import './uploads.css'

/** A file picker for each variable or input field that is a file, and the progress of the running upload. */
export function FilePicker() {
  const schema = useGraphiQL((state) => state.schema)
  const document = useGraphiQL((state) => state.documentAST)
  const operationName = useGraphiQL((state) => state.operationName)
  const chosen = files.use()
  const running = progress.use()
  const fields = useMemo(() => (schema && document ? fileFields(schema, document, operationName) : []), [schema, document, operationName])

  // The request omits the files of variables that were removed from the operation.
  useEffect(() => {
    const kept = new Map([...files.get()].filter(([path]) => fields.some((field) => field.path === path)))
    if (kept.size !== files.get().size) files.set(kept)
  }, [fields])

  if (fields.length === 0) return null
  return (
    <section className="file-picker" aria-label="Files">
      {fields.map((field) => (
        <FileInput key={field.path} field={field} file={chosen.get(field.path)} />
      ))}
      {running && <ProgressBar progress={running} />}
    </section>
  )
}

function FileInput({ field, file }: { field: FileField; file: File | undefined }) {
  const choose = (chosen: File | undefined) => {
    const next = new Map(files.get())
    if (chosen) next.set(field.path, chosen)
    else next.delete(field.path)
    files.set(next)
  }
  return (
    <div className="file-input">
      <label>
        ${field.path.replace(/^variables\./, '')}
        {field.required && ' (required)'} <input type="file" onChange={(event) => choose(event.currentTarget.files?.[0])} />
      </label>
      {file && <span>{size(file.size)}</span>}
    </div>
  )
}

const phases: Record<Progress['phase'], string> = {
  CHECKING: 'The input is being checked.',
  SENDING: 'Sending to Mixcloud.',
  PROCESSING: 'Mixcloud processes the upload.',
  DONE: 'Mixcloud has accepted the upload.',
  FAILED: 'The upload failed.',
  UNKNOWN: 'Uploading. Add an uploadId to the input to see the progress.',
}

function ProgressBar({ progress: { phase, bytesSent, bytesTotal } }: { progress: Progress }) {
  const { stop } = useGraphiQLActions()
  const known = bytesTotal != null && bytesTotal > 0 && bytesSent !== undefined
  return (
    <div className="upload-progress">
      <progress aria-label="Progress of the upload" {...(known && { max: bytesTotal, value: bytesSent })} />
      <span role="status">
        {phases[phase]} {known && `${size(bytesSent)} of ${size(bytesTotal)}`}
      </span>
      <button type="button" onClick={stop}>
        Cancel
      </button>
    </div>
  )
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}
