import { megabytes } from '../../shared/terminal/format.ts'
import type { Capacity } from './capacity.ts'
import type { Forecast } from './forecast.ts'
import type { Span } from './predict-time.ts'

/** What a run will take, for people; a line each. */
export function describeForecast(
  { facts, traffic, disk, memory, here, time }: Forecast,
  capacity: Capacity,
): string[] {
  const { clients, rounds } = facts.settings
  const { coordinator, client } = memory
  const ofAll = here > coordinator ? `, ${mebibytes(here)} with the clients on this machine` : ''
  return [
    `Forecast, ${rounds} x ${clients} clients: a client sends ${megabytes(traffic.up)} a round and gets ${megabytes(traffic.down)}; ` +
      `all of them at most ${megabytes(traffic.allUp)} and ${megabytes(traffic.allDown)}.`,
    `Disk: about ${megabytes(disk)} (${megabytes(capacity.stored)} are there, ${megabytes(capacity.disk)} free). ` +
      `Memory: coordinator about ${mebibytes(coordinator)}, a client ${mebibytes(client)}${ofAll} (of ${mebibytes(capacity.memory)}).`,
    ...(time === null
      ? []
      : [
          `Time of a round, measured on this machine: client ${spanOf(time.client)}, fuse ${time.fuse === null ? 'more than was waited for' : spanOf(time.fuse)}, ` +
            `tune ${spanOf(time.tune)}, evaluate ${spanOf(time.evaluate)}. All rounds: ${spanOf(time.run)}${time.fuse === null ? ' and fusing' : ''}, ` +
            'without the network and clients that are slower.',
        ]),
  ]
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`

function spanOf({ least, most }: Span): string {
  const [from, to] = [seconds(least), seconds(most)]
  return from === to ? from : `${from} to ${to}`
}

function seconds(value: number): string {
  if (value < 120) return `${value < 10 ? value.toFixed(1) : Math.round(value)} s`
  return value < 7200 ? `${Math.round(value / 60)} min` : `${(value / 3600).toFixed(1)} h`
}
