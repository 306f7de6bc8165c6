// When a group of requests is complete.

/** So many turns at most, if requests keep coming. */
const TURNS_MAX = 8;

/**
 * Settles after the first turn of the event loop in which `size()` did not grow. What has arrived is handed over a few requests a turn:
 * under load this gathers them all, and a request that comes alone waits for one turn.
 *
 * Measured against one turn and two (smaller groups, more commits), 1 ms (timers come late), and until the group before is on disk (slower
 * at every load).
 */
export async function allHaveArrived(size) {
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    const before = size();
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (size() === before) return;
  }
}
