import type { Sort } from '../components/ui/table.tsx'
import { useParam } from './use-param.ts'

/** The order of a table in the page's address, as `accuracy` or `-accuracy`. */
export function useSort(usual: Sort): readonly [Sort, (sort: Sort) => void] {
  const [given, set] = useParam('sort')
  const sort = given === '' ? usual : { by: given.replace(/^-/, ''), isDown: given.startsWith('-') }
  return [sort, ({ by, isDown }) => set(isDown ? `-${by}` : by)]
}
