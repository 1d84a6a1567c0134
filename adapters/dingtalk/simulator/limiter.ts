/** Counts a message; returns false if it exceeds the robot's limit. */
export type Limiter = () => boolean;

/** Creates the limiter of a robot: 20 messages in any minute (open.dingtalk.com, "custom robots"). */
export function createLimiter(limit = 20, windowMs = 60_000): Limiter {
  let sent: number[] = [];
  return () => {
    const now = Date.now();
    sent = sent.filter((at) => at > now - windowMs);
    if (sent.length >= limit) return false;
    sent.push(now);
    return true;
  };
}
