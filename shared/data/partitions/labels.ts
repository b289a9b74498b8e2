import { GraftError } from '../../errors.ts'
import type { Rng } from '../../numeric/rng.ts'
import { groupByClass } from '../group-by-class.ts'
import { cutEvenly } from './cut.ts'
import { type Partitioner, toParts } from './partitioner.ts'

/**
 * Each client owns N classes, and a class's examples are divided evenly among its owners. When clients
 * are too few to own all classes, the classes without an owner stay out.
 *
 * Source: Li et al. 2022 (NIID-Bench), arXiv:2102.02079, label distribution skew "#C = k". They draw each
 * client's classes independently; we deal them so that numbers of owners differ by at most 1. So
 * clients * N = classes gives each class to exactly one client, and from there on no class is lost.
 */
export function labelsPerClient(classesPerClient: number): Partitioner {
  return ({ labels, numClasses, clients, rng }) => {
    const groups = groupByClass(labels, numClasses)
    const present = [...groups.keys()].filter((c) => groups[c]!.length > 0)
    if (classesPerClient > present.length) {
      const problem = `labels:${classesPerClient} asks for ${classesPerClient} classes a client, but there are ${present.length}: choose labels:1 to labels:${present.length}.`
      throw new GraftError('GRAFT_PARTITION_INVALID', problem)
    }

    const parts = Array.from({ length: clients }, (): number[] => [])
    const owners = dealClasses(present, classesPerClient, { clients, rng: rng.split('owners') })
    for (const [c, clientsOfClass] of owners) {
      if (clientsOfClass.length > groups[c]!.length) {
        const problem = `labels:${classesPerClient} divides the ${groups[c]!.length} examples of class ${c} among ${clientsOfClass.length} of ${clients} clients.`
        throw new GraftError('GRAFT_PARTITION_INVALID', problem)
      }
      const examples = rng.split(`class-${c}`).shuffle(groups[c]!)
      const runs = cutEvenly(examples, Math.max(clientsOfClass.length, 1))
      clientsOfClass.forEach((client, i) => parts[client]!.push(...runs[i]!))
    }
    return toParts(parts)
  }
}

/**
 * Gives every client, one after another, the N classes with the fewest owners so far (drawn among
 * equals). As N is at most the number of classes, numbers of owners never differ by more than 1.
 *
 * @returns owners of each class, ascending
 */
function dealClasses(
  classes: readonly number[],
  classesPerClient: number,
  { clients, rng }: { clients: number; rng: Rng },
): Map<number, number[]> {
  const owners = new Map(classes.map((c): [number, number[]] => [c, []]))
  for (let client = 0; client < clients; client++) {
    // Sorting is stable, so the shuffle decides among classes with equally many owners.
    const fewestFirst = rng.shuffle([...owners.values()]).sort((a, b) => a.length - b.length)
    for (const owned of fewestFirst.slice(0, classesPerClient)) owned.push(client)
  }
  return owners
}
