import type { Journal } from "../journal/journal.ts";

/**
 * Says whether reading waits for this consumer: a full journal gets no fuller, and no other consumer lets it go before
 * this one does. Asked by a worker before it waits for more, and of a sink that an export has given up.
 */
export function holdsUpReading(journal: Journal, consumer: string): boolean {
  if (!journal.size().full) return false;
  const position = journal.position(consumer);
  return journal.consumers().every((other) => journal.position(other) >= position);
}
