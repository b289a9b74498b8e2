import fc from 'fast-check'
import { sizeOf, type NamedTensor, type Weights } from '../../shared/model/weights.ts'

/** Any float32, with -0, NaN and infinities. */
const anyFloat = fc.float()

/** Shapes of 0 to 3 axes. */
const shape = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 })

/** Weights under distinct names, among them ones that look like numbers or like prototype members. */
export function weights(value: fc.Arbitrary<number> = anyFloat): fc.Arbitrary<Weights> {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom('0', '10', '9', 'fc1.kernel', 'fc1.bias', '__proto__', 'constructor'),
  )
  const tensor: fc.Arbitrary<NamedTensor> = fc
    .record({ name, shape })
    .chain(({ name, shape }) =>
      fc
        .array(value, { minLength: sizeOf(shape), maxLength: sizeOf(shape) })
        .map((values) => ({ name, shape, data: Float32Array.from(values) })),
    )
  return fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 4 })
}
