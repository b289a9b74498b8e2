import { Tooltip } from 'radix-ui'
import type { ComponentProps } from 'react'

interface ButtonProps extends ComponentProps<'button'> {
  readonly kind?: 'plain' | 'primary' | 'danger' | 'quiet'
  /** Why it cannot be used; it stays in the tab order, so that everybody can find out. */
  readonly refusal?: string | null
}

export function Button({ kind = 'plain', refusal = null, className, ...props }: ButtonProps) {
  const classes = `button ${kind} ${className ?? ''}`
  if (refusal === null) return <button type="button" {...props} className={classes} />
  return (
    <Tooltip.Root delayDuration={150}>
      <Tooltip.Trigger asChild>
        <button
          type="button"
          {...props}
          className={classes}
          aria-disabled="true"
          onClick={(event) => event.preventDefault()}
        />
      </Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content className="tip" sideOffset={6} collisionPadding={12}>
          {refusal}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  )
}
