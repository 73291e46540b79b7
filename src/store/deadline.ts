/**
 * `work`, or the error of `onExpiry` once `ms` have passed.
 *
 * When the time is up, what the socket has already received is read first: after a long computation in this thread the
 * timer is due before the reply that came meanwhile.
 */
export async function withDeadline<T>(work: Promise<T>, ms: number, onExpiry: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_resolve, reject) => {
    const expire = () => reject(onExpiry());
    timer = globalThis.setTimeout(
      () => {
        setImmediate(() => {
          if (timer !== undefined) timer = globalThis.setTimeout(expire, 20);
        });
      },
      Math.max(0, ms),
    );
  });
  try {
    return await Promise.race([work, expiry]);
  } finally {
    clearTimeout(timer);
    timer = undefined;
  }
}
