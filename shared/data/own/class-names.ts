import { compareIds } from '../../ids.ts'
import { invalidData, MAX_CLASSES } from './raw-data.ts'

/**
 * The classes that labels name, in an order which depends on the names alone: by value where all of them
 * are whole numbers, else by code units.
 *
 * @param where the labels are, for the message
 * @throws GraftError GRAFT_DATA_INVALID when there are none, or too many
 */
export function orderClasses(labels: Iterable<string>, where: string): string[] {
  const names = [...new Set(labels)]
  if (names.length === 0) throw invalidData(`${where} has no classes.`)
  if (names.length > MAX_CLASSES) {
    throw invalidData(
      `${where} has ${names.length} classes (${names.slice(0, 3).join(', ')}, ...); ${MAX_CLASSES} are the most. Check that these are the labels.`,
    )
  }
  const areNumbers = names.every((name) => /^\d{1,9}$/.test(name))
  return names.sort(areNumbers ? (a, b) => Number(a) - Number(b) || compareIds(a, b) : compareIds)
}

/**
 * Checks labels that are numbers.
 *
 * @param labels [size]; any numbers
 * @param where they are, for the message, as in `y.npy`
 * @returns the same as class numbers
 * @throws GraftError GRAFT_DATA_INVALID naming the first that is no whole number from 0 to 999
 */
export function classNumbers(labels: ArrayLike<number>, where: string): Int32Array {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!
    if (!Number.isInteger(label) || label < 0) {
      throw invalidData(
        `Label ${label} of example ${i} in ${where} is not a class: labels must be whole numbers from 0.`,
      )
    }
    if (label >= MAX_CLASSES) {
      throw invalidData(
        `Label ${label} of example ${i} in ${where} is too large: ${MAX_CLASSES} classes are the most, numbered from 0.`,
      )
    }
  }
  return Int32Array.from(labels)
}
