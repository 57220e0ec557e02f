/** How much is read at a time for an answer that has a budget of bytes. (server/decide) */

/**
 * A document may have 250 KB: a full page of such would be read for the eight that an answer holds (L12). Of those that are small as
 * usual a page takes a few reads more, out of the same snapshot.
 */
export const ROWS_PER_READ = 128;
