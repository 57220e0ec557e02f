/** Another database of the site takes all the space that there is, until it is deleted: `other`. Runs in the page. */
export async function fillDisk(): Promise<void> {
  const other = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open("other", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("s", { autoIncrement: true });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  other.onversionchange = () => other.close();
  for (let bytes = 2 ** 20; bytes >= 2 ** 10; ) {
    const noise = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536));
    const isStored = await new Promise((resolve) => {
      const transaction = other.transaction("s", "readwrite");
      transaction.oncomplete = () => resolve(true);
      transaction.onabort = () => resolve(false);
      try {
        transaction.objectStore("s").put(noise);
      } catch {
        // Firefox, in the transaction after one that was refused.
        transaction.abort();
      }
    });
    if (!isStored) bytes /= 2;
  }
  other.close();
}
