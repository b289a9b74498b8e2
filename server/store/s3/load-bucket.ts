import { join } from 'node:path'
import type { Bucket } from './bucket.ts'
import type { BucketPlace } from './objects.ts'

/**
 * Opens a bucket, and loads the library for it only then: it takes a tenth of a second and 24 MB.
 *
 * @throws GraftError GRAFT_BUCKET_UNAVAILABLE, GRAFT_BUCKET_REFUSED
 */
export async function loadBucket(place: BucketPlace): Promise<Bucket> {
  const { openBucket } = await import('./bucket.ts')
  return openBucket(place)
}

/** Where a coordinator keeps copies of what is in its bucket. */
export const copiesFolder = (home: string): string => join(home, 'blob-copies')
