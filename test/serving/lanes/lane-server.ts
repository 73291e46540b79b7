/**
 * A process with a lane that is inside a run without end: `node lane-server.js`. It says its lane's pid and the folder, and
 * stays until it is killed.
 */

import type { LaneSession } from '#parley/serving/lanes/lane-session.js';
import { Lanes } from '#parley/serving/lanes/lanes.js';
import { endlessFor, x } from './graphs.js';

const lanes = new Lanes({ count: 1 });
const session = (await lanes.load(endlessFor.graph, 'endless')) as LaneSession;
session.runOnce(x(1)).catch(() => {});
console.log(session.pid);
setInterval(() => {}, 1000);
