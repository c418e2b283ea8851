import type { Fault } from './fault.ts';
import { connectingFaults } from './faults-connecting.ts';
import { ddlFaults } from './faults-ddl.ts';
import { diskFaults } from './faults-disks.ts';
import { judgingFaults } from './faults-judging.ts';
import { kills } from './faults-kills.ts';
import { postgresFaults } from './faults-postgresql.ts';
import { restoreFaults } from './faults-restore.ts';
import { s3Faults } from './faults-s3.ts';

export const everyFault: readonly Fault[] = [
  ...s3Faults,
  ...judgingFaults,
  ...postgresFaults,
  ...connectingFaults,
  ...restoreFaults,
  ...diskFaults,
  ...kills,
  ...ddlFaults,
];
