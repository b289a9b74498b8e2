import { type SubmitEvent, useState } from 'react'
import { useNavigate } from 'react-router'
import type { RunFormOption, RunResource } from '../../../shared/protocol/operator/resources.ts'
import { ProblemError } from '../lib/api.ts'
import {
  chosen,
  commandLine,
  faultsByField,
  fieldLabel,
  type FormValues,
  groupFields,
} from '../lib/run-form.ts'
import { useRunForm } from '../lib/queries.ts'
import { useApi } from '../lib/use-api.ts'
import { useNewRunRefusal } from '../components/new-run-link.tsx'
import { Button } from '../components/ui/button.tsx'
import { Failure } from '../components/ui/failure.tsx'
import { Field } from '../components/ui/field.tsx'
import { Loaded } from '../components/ui/loaded.tsx'
import { Page } from '../components/ui/page.tsx'
import { useToast } from '../components/ui/toasts.tsx'

/** A form of everything that the command line takes; the coordinator judges both alike. */
export function NewRun() {
  const form = useRunForm()
  return (
    <Page
      title="New run"
      lead={<p>Every field has the default of the command line. What you leave alone stays so.</p>}
    >
      <Loaded query={form} lines={14}>
        {({ options }) => <Form fields={options} />}
      </Loaded>
    </Page>
  )
}

function Form({ fields }: { readonly fields: readonly RunFormOption[] }) {
  const api = useApi()
  const navigate = useNavigate()
  const tell = useToast()
  const refusal = useNewRunRefusal()
  const [values, setValues] = useState<FormValues>({})
  // One wish, however often it is sent: until something else is wished for.
  const [requestId, setRequestId] = useState(() => crypto.randomUUID())
  const [error, setError] = useState<unknown>(null)
  const [isBusy, setBusy] = useState(false)
  const faults =
    error instanceof ProblemError
      ? faultsByField(error.problem.detail, fields)
      : new Map<string, string>()
  const isPlaced = faults.size > 0 && !faults.has('')

  const change = (name: string, value: string | boolean) => {
    setValues((before) => ({ ...before, [name]: value }))
    setRequestId(crypto.randomUUID())
  }
  async function create(): Promise<void> {
    setBusy(true)
    setError(null)
    try {
      const body = { options: chosen(fields, values), requestId }
      const run = await api.send<RunResource>('POST', '/runs', body)
      tell({
        title: `Run ${run.number} was created`,
        body: 'Recorded in the audit log',
        tone: 'good',
      })
      await navigate(`/runs/${run.id}`)
    } catch (caught) {
      setError(caught)
      setBusy(false)
    }
  }
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault()
    void create()
  }
  return (
    <form onSubmit={onSubmit} className="run-form">
      {groupFields(fields).map(({ title, fields: own }) => (
        <fieldset key={title}>
          <legend>{title}</legend>
          <div className="fields">
            {own.map((field) => (
              <Option
                key={field.name}
                field={field}
                value={values[field.name]}
                fault={faults.get(field.name)}
                onChange={change}
              />
            ))}
          </div>
        </fieldset>
      ))}
      <Fixed fields={fields} />
      <div className="run-form-foot">
        <h2>As a command</h2>
        <pre tabIndex={0}>{commandLine(fields, values)}</pre>
        {error !== null && !isPlaced && <Failure error={error} />}
        {isPlaced && (
          <p className="fault" role="alert">
            {faults.size === 1 ? 'One field is' : `${faults.size} fields are`} not allowed: see
            above.
          </p>
        )}
        <Button type="submit" kind="primary" refusal={refusal} disabled={isBusy}>
          {isBusy ? 'Creating…' : 'Create run'}
        </Button>
      </div>
    </form>
  )
}

interface OptionProps {
  readonly field: RunFormOption
  readonly value: string | boolean | undefined
  readonly fault: string | undefined
  readonly onChange: (name: string, value: string | boolean) => void
}

function Option({ field, value, fault, onChange }: OptionProps) {
  const { name, type, choices, default: fallback, usage } = field
  const text = typeof value === 'string' ? value : ''
  if (type === 'flag')
    return (
      <Field label={fieldLabel(name)} help={usage} fault={fault}>
        {(props) => (
          <input
            {...props}
            type="checkbox"
            checked={value === true || fallback === true}
            onChange={(event) => onChange(name, event.target.checked)}
          />
        )}
      </Field>
    )
  return (
    <Field label={fieldLabel(name)} help={usage} fault={fault}>
      {(props) =>
        choices === null ? (
          <input
            {...props}
            inputMode={type === 'number' ? 'decimal' : 'text'}
            placeholder={fallback === null || fallback === '' ? 'not given' : String(fallback)}
            value={text}
            onChange={(event) => onChange(name, event.target.value)}
          />
        ) : (
          <select {...props} value={text} onChange={(event) => onChange(name, event.target.value)}>
            <option value="">{fallback === null ? 'not given' : String(fallback)}</option>
            {choices
              .filter((choice) => choice !== fallback)
              .map((choice) => (
                <option key={choice}>{choice}</option>
              ))}
          </select>
        )
      }
    </Field>
  )
}

/** What only whoever starts the coordinator can choose, as it names files of that machine. */
function Fixed({ fields }: { readonly fields: readonly RunFormOption[] }) {
  const fixed = fields.filter(({ isFixed }) => isFixed)
  if (fixed.length === 0) return null
  const words = fixed.map(({ flag, default: value }) =>
    value === null || value === false ? flag : `${flag} ${value}`,
  )
  return (
    <p className="note">
      Decided by the command line of the coordinator, as they name files of its machine:{' '}
      {words.join(', ')}.
    </p>
  )
}
