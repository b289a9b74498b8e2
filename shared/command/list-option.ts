import { z } from 'zod'
import { numeric } from './command.ts'

/** Items with commas between them. */
export const list = <Item extends z.ZodType>(item: Item) =>
  z.preprocess((value) => (typeof value === 'string' ? value.split(',') : value), z.array(item))

/** A whole number above 0. */
export const whole = numeric(z.int().positive())
