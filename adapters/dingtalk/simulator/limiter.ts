/** Whether one more message is within what a robot may send. */
export type Limiter = () => boolean;

/** 20 messages in any minute (open.dingtalk.com, "custom robots"). */
export function createLimiter(most = 20, withinMs = 60_000): Limiter {
  let sent: number[] = [];
  return () => {
    const now = Date.now();
    sent = sent.filter((at) => at > now - withinMs);
    if (sent.length >= most) return false;
    sent.push(now);
    return true;
  };
}
