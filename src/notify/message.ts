import type { Notification } from '../core/notification.ts';
import type { Report } from '../core/report.ts';

/** What is sent. */
export interface Message {
  readonly notification: Notification;
  /** What a ping tells of. */
  readonly report: Report;
  /** Names the row of messages about one action and its sources, in hex. */
  readonly thread: string;
}
