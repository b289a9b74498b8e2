import { type ComponentProps, type ReactNode, useId } from 'react'

interface FieldProps {
  readonly label: string
  readonly help?: ReactNode
  readonly fault?: string | undefined
  readonly children: (props: {
    id: string
    'aria-describedby': string
    'aria-invalid': boolean
  }) => ReactNode
}

/** A control with its name above, what it means below, and what is wrong with it. */
export function Field({ label, help, fault, children }: FieldProps) {
  const id = useId()
  return (
    <div className={fault === undefined ? 'field' : 'field faulty'}>
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-describedby': `${id}-h`, 'aria-invalid': fault !== undefined })}
      <div id={`${id}-h`} className="field-help">
        {fault !== undefined && <p className="fault">{fault}</p>}
        {help}
      </div>
    </div>
  )
}

/** A row of choices over a list; what is chosen is in the page's address. */
export function FilterInput({
  label,
  ...props
}: ComponentProps<'input'> & { readonly label: string }) {
  return (
    <label className="filter">
      <span>{label}</span>
      <input type="search" {...props} />
    </label>
  )
}
