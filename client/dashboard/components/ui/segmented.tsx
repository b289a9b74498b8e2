import { ToggleGroup } from 'radix-ui'

interface SegmentedProps<Value extends string> {
  readonly label: string
  readonly value: Value
  readonly choices: readonly (readonly [Value, string])[]
  readonly onChange: (value: Value) => void
}

/** One of a few, side by side; the arrow keys go from one to the next. */
export function Segmented<Value extends string>({
  label,
  value,
  choices,
  onChange,
}: SegmentedProps<Value>) {
  return (
    <ToggleGroup.Root
      type="single"
      className="segmented"
      aria-label={label}
      value={value}
      onValueChange={(next) => {
        const chosen = choices.find(([one]) => one === next)
        if (chosen !== undefined) onChange(chosen[0])
      }}
    >
      {choices.map(([one, text]) => (
        <ToggleGroup.Item key={one} value={one}>
          {text}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  )
}
